import { expect } from 'chai';
import { LeaseProcesses, type Line, type Running } from './support/lease-processes.ts';

/** Long enough that a busy machine does not cost the living one a lease. */
const failoverMs = 4_000;
const shards = 8;
const stopMs = 4_000;
/** From the last sign of life of a worker to the work of another (design: failover + 5 s). */
const takeoverMs = failoverMs + 5_000;

/** The last line about each shard. */
function lastOf(lines: readonly Line[]): ReadonlyMap<string, Line> {
  return new Map(lines.map((line) => [line.shardId, line]));
}

/** Real processes and real signals: what a clock that is moved by hand cannot show. */
describe('workers as processes', function () {
  this.timeout(60_000);
  let fleet: LeaseProcesses;
  let a: Running;

  /** Two workers with four shards each, delivering. */
  beforeEach(async () => {
    fleet = await LeaseProcesses.open({ failoverMs, shards, stopMs });
    a = await fleet.start('a');
    await fleet.start('b');
    await fleet.until(() => fleet.begun('b').size === shards / 2);
    await fleet.until(() => fleet.deliveries('b').length > 100);
  });
  afterEach(() => fleet.close());

  describe('scenario 1: kill -9', () => {
    it('has all leases of the dead worker run on the other within failover + 5 s, from their last checkpoints', async () => {
      a.process.kill('SIGKILL');
      const killedAtMs = Date.now();
      await a.exited;
      const delivered = lastOf(fleet.deliveries('a'));
      await fleet.until(() => fleet.begun('b').size === shards);
      for (const { atMs, at, shardId } of fleet.of('b', 'begin').slice(-shards / 2)) {
        expect(atMs - killedAtMs, shardId).to.be.below(takeoverMs);
        // It saves after each tenth.
        const { at: lastAt } = delivered.get(shardId)!;
        expect(at, shardId).to.be.within(lastAt - 10, lastAt);
      }
      await fleet.until(() => fleet.deliveries().at(-1)?.workerId === 'b');
      fleet.assertOrder();
    });
  });

  describe('scenario 2: SIGTERM, drained in time', () => {
    it('finishes what is in flight, delivers nothing twice, and the peer goes on without waiting for anything to expire', async () => {
      a.process.kill('SIGTERM');
      expect(await a.exited).to.equal(0);
      const drained = lastOf(fleet.of('a', 'drained'));
      await fleet.until(() => fleet.begun('b').size === shards);
      for (const { atMs, at, shardId } of fleet.of('b', 'begin').slice(-shards / 2)) {
        expect(at, shardId).to.equal(drained.get(shardId)?.at);
        expect(atMs - drained.get(shardId)!.atMs, shardId).to.be.below(failoverMs);
      }
      const seen = fleet.deliveries().map(({ at, shardId }) => `${shardId} ${at}`);
      expect(new Set(seen).size).to.equal(seen.length);
      fleet.assertOrder();
    });
  });

  describe('scenario 3: SIGTERM, and the handler hangs past the deadline', () => {
    it('ends with code 0 in time, gives its leases up without the hung batches, and they come again elsewhere', async () => {
      a.process.kill('SIGUSR2');
      await fleet.until(() => fleet.of('a', 'hang').length === shards / 2);
      const hung = fleet.of('a', 'hang');
      a.process.kill('SIGTERM');
      const toldAtMs = Date.now();
      expect(await a.exited).to.equal(0);
      expect(Date.now() - toldAtMs).to.be.within(stopMs - 2_000, stopMs + 2_000);
      expect(fleet.of('a', 'work-overran')).to.have.length(shards / 2);
      await fleet.until(() => fleet.begun('b').size === shards);
      const begun = lastOf(fleet.of('b', 'begin'));
      for (const { at, shardId } of hung) expect(begun.get(shardId)?.at, shardId).to.be.below(at);
      const again = ({ at, shardId }: Line): boolean =>
        fleet.deliveries('b').some((line) => line.shardId === shardId && line.at === at);
      await fleet.until(() => hung.every(again));
      fleet.assertOrder();
    });
  });

  describe('scenario 4: SIGSTOP', () => {
    it('delivers nothing after it goes on, has its checkpoint refused, and loses each lease once', async () => {
      a.process.kill('SIGSTOP');
      await fleet.until(() => fleet.begun('b').size === shards);
      const before = fleet.deliveries('a').length;
      a.process.kill('SIGCONT');
      await fleet.until(() => fleet.of('a', 'refused').length >= shards / 2);
      expect(fleet.deliveries('a').length).to.equal(before);
      expect(fleet.of('a', 'saved-after-loss')).to.deep.equal([]);
      const lost = fleet.of('a', 'lease-lost').map(({ shardId }) => shardId);
      expect(new Set(lost).size, 'each once').to.equal(lost.length);
      // It takes part again, with leases that it is given; nothing it did before cost the other one a lease.
      const mark = fleet.lines.length;
      await fleet.until(() => fleet.lines.slice(mark).some((l) => l.did === 'begin' && l.workerId === 'a'));
      expect(fleet.of('b', 'lease-lost')).to.deep.equal([]);
      fleet.assertOrder();
    });
  });
});
