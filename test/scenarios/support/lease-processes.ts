import { expect } from 'chai';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';

export interface LeaseProcessSettings {
  readonly endpoint: string;
  readonly tableName: string;
  readonly workerId: string;
  readonly failoverMs: number;
  readonly shards: number;
  readonly stopMs: number;
  /** What SIGUSR2 does: block the event loop for so long, or, where this is 0, hang in every delivery from then on. */
  readonly blockMs: number;
}

type FleetSettings = Pick<LeaseProcessSettings, 'failoverMs' | 'shards'> & Partial<LeaseProcessSettings>;

/** What a worker said it did. */
export interface Line {
  readonly workerId: string;
  readonly atMs: number;
  readonly did: string;
  readonly shardId: string;
  readonly fence: number;
  readonly at: number;
  readonly reason?: string;
}

export interface Running {
  readonly id: string;
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
}

const tableName = 'router-leases';
/** More than any request takes. */
const turnsOfRequest = 500;

/** Workers as processes on one lease table, and what they say. */
export class LeaseProcesses {
  readonly lines: Line[] = [];
  readonly #settings: FleetSettings;
  readonly #tables: TestTables;
  readonly #running: Running[] = [];
  #wake = (): void => {};

  private constructor(tables: TestTables, settings: FleetSettings) {
    this.#tables = tables;
    this.#settings = settings;
  }

  static async open(settings: FleetSettings): Promise<LeaseProcesses> {
    return new LeaseProcesses(await startTables([tableName]), settings);
  }

  async close(): Promise<void> {
    for (const { process } of this.#running) {
      process.kill('SIGCONT');
      process.kill('SIGKILL');
    }
    await Promise.all(this.#running.map(({ exited }) => exited));
    // Requests of the dead are still carried out, in memory, a step each turn; the tables must not close under them.
    for (let turn = 0; turn < turnsOfRequest; turn += 1) await new Promise((next) => void setImmediate(next));
    await this.#tables.close();
  }

  /** Resolves when its coordinator runs. */
  async start(workerId: string, over: Partial<LeaseProcessSettings> = {}): Promise<Running> {
    const { protocol, hostname, port } = await this.#tables.client.config.endpoint!();
    const endpoint = `${protocol}//${hostname}:${port}`;
    const defaults = { stopMs: 8_000, blockMs: 0 };
    const settings = { ...defaults, ...this.#settings, ...over, endpoint, tableName, workerId };
    const main = join(import.meta.dirname, 'lease-process.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', main, JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#wake();
    });
    const exited = new Promise<number | null>((resolve) => void child.once('exit', (code) => resolve(code)));
    const worker = { id: workerId, process: child, exited };
    this.#running.push(worker);
    await this.until(() => this.of(workerId, 'worker-started').length > 0);
    return worker;
  }

  /** Resolves with the line after which `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => void (this.#wake = resolve));
  }

  of(workerId: string, did: string): readonly Line[] {
    return this.lines.filter((line) => line.workerId === workerId && line.did === did);
  }

  deliveries(workerId?: string): readonly Line[] {
    return this.lines.filter(
      (line) => line.did === 'deliver' && line.workerId === (workerId ?? line.workerId),
    );
  }

  /** Shards of which this worker has begun the work. */
  begun(workerId: string): ReadonlySet<string> {
    return new Set(this.of(workerId, 'begin').map(({ shardId }) => shardId));
  }

  /** I1 and I5: fences never go back, and a later owner begins at or before what was delivered. */
  assertOrder(): void {
    const last = new Map<string, Line>();
    for (const line of this.deliveries()) {
      const before = last.get(line.shardId);
      expect(line.fence, JSON.stringify(line)).to.be.at.least(before?.fence ?? 0);
      expect(line.at, JSON.stringify(line)).to.be.at.most((before?.at ?? 0) + 1);
      last.set(line.shardId, line);
    }
  }
}
