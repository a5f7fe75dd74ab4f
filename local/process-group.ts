import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { PlatformError } from '../lib/runtime/errors.ts';
import { type Backoff, backoffMs } from '../lib/runtime/retry.ts';

/** A crash loop must not burn the laptop; a worker killed on purpose must be back quickly. */
const restartBackoff: Backoff = { firstMs: 100, maxMs: 10_000, tries: Number.POSITIVE_INFINITY };
/** After this long alive a process counts as healthy and its backoff starts anew: a crash loop dies sooner. */
const healthyAfterMs = 3_000;
/** The exit code of a process that cannot use its settings: starting it again would not help. */
const unusableSettings = 2;
/** After SIGTERM; longer than the STOP_TIMEOUT_MS that local services get. */
const killAfterMs = 15_000;

export interface ProcessSpec {
  readonly name: string;
  /** The script, relative to the project's folder. */
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A stand-in holds data that a new process would not have in full: its death ends the platform. */
  readonly restart: boolean;
}

/** What a process tells us once it listens: its ports by name. */
export type Ports = Readonly<Record<string, number>>;

export type ProcessState =
  | { readonly type: 'starting' }
  | { readonly type: 'up'; readonly ports: Ports }
  | { readonly type: 'waiting'; readonly forMs: number; readonly why: string }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'stopped' };

export interface ProcessView {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid: number | undefined;
  readonly restarts: number;
}

export interface ProcessGroupOptions {
  readonly projectDir: string;
  readonly logDir: string;
  readonly onChange: (view: ProcessView) => void;
  /** A process that must not die did. */
  readonly onFatal: (error: Error) => void;
}

interface Member {
  readonly spec: ProcessSpec;
  readonly log: WriteStream;
  state: ProcessState;
  child: ChildProcess | undefined;
  startedAt: number;
  quickDeaths: number;
  restarts: number;
  lastWords: string;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Child processes that are started again when they die. Each tells its ports by an IPC message `{ports: {…}}`; the
 * same channel tells it when we are gone, so that nothing survives us, even if we are killed.
 */
export class ProcessGroup {
  readonly #options: ProcessGroupOptions;
  readonly #members = new Map<string, Member>();
  #stopping = false;

  constructor(options: ProcessGroupOptions) {
    this.#options = options;
  }

  /** Starts it and resolves with its ports once it listens; rejects when it cannot start with its settings. */
  start(spec: ProcessSpec): Promise<Ports> {
    const member: Member = {
      spec,
      log: createWriteStream(join(this.#options.logDir, `${spec.name}.log`), { flags: 'a' }),
      state: { type: 'starting' },
      child: undefined,
      startedAt: 0,
      quickDeaths: 0,
      restarts: 0,
      lastWords: '',
      timer: undefined,
    };
    this.#members.set(spec.name, member);
    return new Promise((resolve, reject) => this.#spawn(member, resolve, reject));
  }

  views(): readonly ProcessView[] {
    return [...this.#members.values()].map(view);
  }

  /** Sends a signal to one process, as an operator or the chaos of a test would. False: it is not running. */
  signal(name: string, signal: NodeJS.Signals): boolean {
    return this.#members.get(name)?.child?.kill(signal) ?? false;
  }

  /** SIGTERM to all, SIGKILL to what is left after a while; resolves when none is left. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#members.values()].map((member) => this.#stopMember(member)));
  }

  #spawn(member: Member, resolve: (ports: Ports) => void, reject: (error: Error) => void): void {
    const { spec } = member;
    const child = spawn(process.execPath, ['--import', 'tsx', spec.script, ...spec.args], {
      cwd: this.#options.projectDir,
      env: spec.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Its own group: Ctrl-C in the terminal reaches only us, and we decide the order of the stop.
      detached: true,
    });
    member.child = child;
    member.startedAt = performance.now();
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        member.log.write(chunk);
        member.lastWords = (member.lastWords + chunk.toString()).slice(-2_000);
      });
    }
    child.on('message', (message: { ports?: Ports }) => {
      if (message.ports === undefined) return;
      this.#change(member, { type: 'up', ports: message.ports });
      resolve(message.ports);
    });
    child.on('error', (error) => reject(error));
    child.on('exit', (code, signal) => this.#exited(member, { code, signal }, resolve, reject));
  }

  #exited(
    member: Member,
    how: { readonly code: number | null; readonly signal: NodeJS.Signals | null },
    resolve: (ports: Ports) => void,
    reject: (error: Error) => void,
  ): void {
    member.child = undefined;
    if (this.#stopping) return this.#change(member, { type: 'stopped' });
    const why = how.signal ? `killed by ${how.signal}` : `exited with ${how.code}`;
    if (how.code === unusableSettings || !member.spec.restart) {
      const error = new PlatformError(
        'process-failed',
        `${member.spec.name} ${why}: ${member.lastWords.trim()}`,
      );
      this.#change(member, { type: 'failed', why });
      reject(error);
      return this.#options.onFatal(error);
    }
    const lived = performance.now() - member.startedAt;
    member.quickDeaths = lived > healthyAfterMs ? 1 : member.quickDeaths + 1;
    member.restarts += 1;
    const forMs = backoffMs(restartBackoff, member.quickDeaths, 1);
    this.#change(member, { type: 'waiting', forMs, why });
    member.timer = setTimeout(() => {
      this.#change(member, { type: 'starting' });
      this.#spawn(member, resolve, reject);
    }, forMs);
  }

  async #stopMember(member: Member): Promise<void> {
    clearTimeout(member.timer);
    const { child } = member;
    if (child) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      const kill = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      child.kill('SIGTERM');
      await gone;
      clearTimeout(kill);
    }
    await new Promise((resolve) => member.log.end(resolve));
  }

  #change(member: Member, state: ProcessState): void {
    member.state = state;
    this.#options.onChange(view(member));
  }
}

function view(member: Member): ProcessView {
  return {
    name: member.spec.name,
    state: member.state,
    pid: member.child?.pid,
    restarts: member.restarts,
  };
}
