import { expect } from 'chai';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';

interface Line {
  readonly workerId: string;
  readonly did: string;
  readonly shardId: string;
  readonly fence: number;
  readonly at: number;
}

interface Running {
  readonly id: string;
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
}

const failoverMs = 2_000;
const shards = 3;

/** Scenarios with real processes and real signals: what a simulation of time cannot show. */
describe('workers as processes', function () {
  this.timeout(60_000);
  let tables: TestTables;
  let lines: Line[] = [];
  let running: Running[] = [];
  let wake = (): void => {};

  beforeEach(async () => {
    tables = await startTables(['router-leases']);
    lines = [];
    running = [];
  });
  afterEach(async () => {
    for (const { process } of running) {
      process.kill('SIGCONT');
      process.kill('SIGKILL');
    }
    await Promise.all(running.map(({ exited }) => exited));
    await tables.close();
  });

  const start = async (id: string): Promise<Running> => {
    const main = join(import.meta.dirname, '../../support/lease-process.ts');
    const { protocol, hostname, port } = await tables.client.config.endpoint!();
    const endpoint = `${protocol}//${hostname}:${port}`;
    const args = [endpoint, 'router-leases', id, String(failoverMs), String(shards)];
    const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(JSON.parse(line) as Line);
      wake();
    });
    const exited = new Promise<number | null>((resolve) => void child.once('exit', (code) => resolve(code)));
    const worker = { id, process: child, exited };
    running.push(worker);
    return worker;
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => void (wake = resolve));
  };
  const begun = (id: string): Line[] =>
    lines.filter(({ did, workerId }) => did === 'begin' && workerId === id);
  const deliveries = (): Line[] => lines.filter(({ did }) => did === 'deliver');

  /** Per shard: fences never go back, and a later owner begins at or before what was delivered (nothing missed). */
  const assertOrder = (): void => {
    const last = new Map<string, Line>();
    for (const line of deliveries()) {
      const before = last.get(line.shardId);
      expect(line.fence, JSON.stringify(line)).to.be.at.least(before?.fence ?? 0);
      expect(line.at, JSON.stringify(line)).to.be.at.most((before?.at ?? 0) + 1);
      last.set(line.shardId, line);
    }
  };

  it('1. SIGKILL: another takes over at the last checkpoint', async () => {
    const a = await start('a');
    await until(() => deliveries().length > 30);
    await start('b');
    await until(() => lines.some(({ did, workerId }) => did === 'worker-started' && workerId === 'b'));
    a.process.kill('SIGKILL');
    await until(() => new Set(begun('b').map(({ shardId }) => shardId)).size === shards);
    await until(() => deliveries().at(-1)?.workerId === 'b');
    assertOrder();
  });

  it('2. SIGTERM: what is in flight is finished, nothing is delivered twice, the peer goes on at once', async () => {
    const a = await start('a');
    await until(() => deliveries().length > 30);
    await start('b');
    await until(() => begun('b').length > 0);
    a.process.kill('SIGTERM');
    expect(await a.exited).to.equal(0);
    const last = new Map(lines.filter(({ did }) => did === 'drained').map((line) => [line.shardId, line]));
    await until(() => begun('b').length === shards);
    for (const { at, shardId } of begun('b')) expect(at, shardId).to.equal(last.get(shardId)?.at);
    const seen = deliveries().map(({ at, shardId }) => `${shardId} ${at}`);
    expect(new Set(seen).size).to.equal(seen.length);
    assertOrder();
  });

  it('4. SIGSTOP: a worker that was stopped for longer than its leases last delivers nothing when it goes on', async () => {
    const a = await start('a');
    await until(() => deliveries().length > 30);
    await start('b');
    await until(() => begun('b').length > 0);
    a.process.kill('SIGSTOP');
    await until(() => new Set(begun('b').map(({ shardId }) => shardId)).size === shards);
    const before = deliveries().filter(({ workerId }) => workerId === 'a').length;
    a.process.kill('SIGCONT');
    await until(() => lines.some(({ did, workerId }) => did === 'lease-lost' && workerId === 'a'));
    const lost = lines.findIndex(({ did, workerId }) => did === 'lease-lost' && workerId === 'a');
    const after = deliveries().filter(({ workerId }) => workerId === 'a').length;
    expect(after).to.equal(before);
    expect(lost).to.be.greaterThan(0);
    // It takes part again, with leases of its own.
    await until(() => lines.slice(lost).some(({ did, workerId }) => did === 'begin' && workerId === 'a'));
    assertOrder();
  });
});
