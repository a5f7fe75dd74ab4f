import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StandIn } from '../../local/listen.ts';
import type { KclLine } from './java.ts';
import { type Line, parseLine } from './lines.ts';
import type { Scene } from './scene.ts';

/** `mode` is KCL 3's ClientVersionConfig. */
export type Kind =
  | { readonly type: 'ours' }
  | { readonly type: 'java'; readonly line: KclLine; readonly classPath: string; readonly mode?: string };

export interface Member {
  readonly id: string;
  readonly kind: Kind;
  /** The file with what it writes on stderr. */
  readonly log: string;
  /** When its process ended, if it has. */
  readonly endedAtMs: () => number | undefined;
  /** SIGTERM; resolves when the process has ended. A member that does not is killed after stopMs. */
  readonly stop: () => Promise<void>;
  /** kill -9. */
  readonly kill: () => Promise<void>;
}

/** The workers of one scene, and all that they have said. */
export interface Crew {
  readonly lines: readonly Line[];
  readonly members: ReadonlyMap<string, Member>;
  readonly start: (id: string, kind: Kind) => Promise<Member>;
  readonly alive: () => readonly Member[];
  /** Kills whoever is left. */
  readonly close: () => Promise<void>;
}

/** Longer than either kind of worker gives itself. */
const stopMs = 30_000;
/** Small: several of them share a laptop's two cores. */
const javaOptions = [
  '-Xmx256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Daws.cborEnabled=false',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=info',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
];

/** `folder` takes a log per worker. */
export function createCrew(scene: Scene, failoverMs: number, folder: string): Crew {
  const lines: Line[] = [];
  const members = new Map<string, Member>();
  const doors: StandIn[] = [];
  const alive = (): readonly Member[] => [...members.values()].filter((m) => m.endedAtMs() === undefined);
  return {
    lines,
    members,
    alive,
    start: async (id, kind) => {
      const door = await scene.log.openFor(id);
      doors.push(door);
      const settings = { ...settingsOf(scene, failoverMs), INTEROP_DYNAMODB: door.url, INTEROP_WORKER: id };
      const [command, arguments_] = commandOf(kind);
      const mode = kind.type === 'java' && kind.mode !== undefined ? { INTEROP_MODE: kind.mode } : {};
      const child = spawn(command, arguments_, {
        env: { PATH: process.env.PATH, ...settings, ...mode },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const log = join(folder, `${scene.name}-${id}.log`);
      child.stderr.pipe(createWriteStream(log));
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = parseLine(text);
        if (line !== undefined) lines.push(line);
      });
      const member = memberOf(id, kind, child, log);
      members.set(id, member);
      return member;
    },
    close: async () => {
      await Promise.all(alive().map((member) => member.kill()));
      await Promise.all(doors.map((door) => door.close()));
    },
  };
}

function memberOf(id: string, kind: Kind, child: ChildProcess, log: string): Member {
  let endedAtMs: number | undefined;
  // `close` comes after the last line of its output, `exit` may come before it.
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => (endedAtMs = Date.now()));
    child.once('close', () => resolve());
    child.once('error', () => {
      endedAtMs = Date.now();
      resolve();
    });
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    id,
    kind,
    log,
    endedAtMs: () => endedAtMs,
    kill,
    stop: async () => {
      const late = setTimeout(() => child.kill('SIGKILL'), stopMs);
      child.kill('SIGTERM');
      await ended;
      clearTimeout(late);
    },
  };
}

function settingsOf(scene: Scene, failoverMs: number): Readonly<Record<string, string>> {
  return {
    AWS_ACCESS_KEY_ID: 'interop',
    AWS_SECRET_ACCESS_KEY: 'interop',
    AWS_REGION: 'us-east-1',
    // Nothing may ask beyond this machine, also not for credentials.
    AWS_EC2_METADATA_DISABLED: 'true',
    INTEROP_KINESIS: scene.servers.kinesisUrl,
    INTEROP_STREAM: scene.name,
    INTEROP_TABLE: scene.name,
    INTEROP_FAILOVER_MS: String(failoverMs),
  };
}

function commandOf(kind: Kind): readonly [string, readonly string[]] {
  switch (kind.type) {
    case 'ours':
      return [process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'worker.ts')]];
    case 'java':
      return ['java', [...javaOptions, '-cp', kind.classPath, 'Worker']];
  }
}
