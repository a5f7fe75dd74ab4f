import { expect } from 'chai';
import type { LeaseTableFault } from '../../lib/leases/lease-table-faults.ts';
import { createStage, eventsOf, failoverMs, type Stage, type StageWorker } from './support/stage.ts';

/** For how long after its last confirmed write a worker may act: less than the others wait. */
const ownMs = 0.9 * failoverMs;
/** By so much the table is back later for the second worker: the first sees leases whose owner has been silent for long. */
const laterMs = 3_000;
const fair = { chance: 0.3, fault: { type: 'throttle' } } as const;

/** Two workers with four shards each, reading. */
async function pair(): Promise<{
  readonly stage: Stage;
  readonly workers: readonly [StageWorker, StageWorker];
}> {
  const stage = createStage(8);
  // Rare checkpoints: a delivery does not wait for one that cannot be written, only the deadline ends it.
  const options = { checkpointMs: 20_000 };
  const workers = [stage.start('a', { options }), stage.start('b', { options })] as const;
  await stage.putEach(5, 'first');
  const shared = (): boolean => workers.every(({ shards }) => shards().length === 4);
  await stage.until('the leases are shared', shared, 15_000);
  await stage.clock.advance(5_000);
  return { stage, workers };
}

/** Records come all the time, a few on each shard every two seconds. */
async function busyFor(stage: Stage, ms: number, name: string): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 2_000) {
    await stage.putEach(1, `${name}-${passedMs}`);
    await stage.clock.advance(2_000);
  }
}

function strike(
  workers: readonly StageWorker[],
  rule: Parameters<StageWorker['line']['fault']>[0],
): () => void {
  const ends = workers.map(({ line }) => line.fault(rule));
  return () => {
    for (const end of ends) end();
  };
}

const owned = (workers: readonly StageWorker[]): readonly (readonly string[])[] =>
  workers.map(({ shards }) => [...shards()].sort());

const lost = (workers: readonly StageWorker[]): readonly string[] =>
  workers.flatMap((worker) => eventsOf(worker, 'lease-lost').map(({ reason }) => reason));

/**
 * An outage of all calls to the table, `ms` long, and a little longer for one worker than for the other. Delivery goes on
 * to the local deadline and no further; then the same owners resume, having missed nothing.
 */
async function outage(
  { stage, workers }: Awaited<ReturnType<typeof pair>>,
  fault: LeaseTableFault,
  ms: number,
): Promise<void> {
  const before = owned(workers);
  const [first, second] = workers.map((worker) => strike([worker], { fault })) as [() => void, () => void];
  const beganMs = stage.clock.monotonic();
  await busyFor(stage, ms, `during-${fault.type}`);
  const late = stage.audit.delivered.filter(({ atMs }) => atMs > beganMs + ownMs);
  expect(late, 'delivered after the deadline').to.deep.equal([]);
  const early = stage.audit.delivered.filter(({ atMs }) => atMs > beganMs);
  expect(early.length, 'delivered while the leases still lasted').to.be.greaterThan(0);
  expect(owned(workers)).to.deep.equal([[], []]);
  first();
  await stage.clock.advance(laterMs);
  second();
  const resumed = (): boolean => String(owned(workers)) === String(before);
  await stage.until('the same owners go on', resumed, failoverMs + 5_000);
  await stage.until('what came meanwhile is read', () => stage.audit.undelivered() === 0, 10_000);
  await busyFor(stage, 20_000, `after-${fault.type}`);
  expect(owned(workers)).to.deep.equal(before);
  expect(lost(workers)).to.deep.equal(Array.from({ length: 8 }, () => 'deadline'));
  expect(workers.map((worker) => worker.ended())).to.deep.equal([false, false]);
}

describe('scenario 20: DynamoDB throttles 30 % for 2 min, then is out for 60 s', function () {
  this.timeout(20_000);

  it('keeps every lease while it is throttled; stops at the deadline in the outage; the same owners resume', async () => {
    const fleet = await pair();
    const { stage, workers } = fleet;
    const before = owned(workers);
    const end = strike(workers, fair);
    await busyFor(stage, 120_000, 'throttled');
    expect(lost(workers)).to.deep.equal([]);
    expect(owned(workers)).to.deep.equal(before);
    expect(workers.every((worker) => eventsOf(worker, 'call-failed').length > 10)).to.equal(true);
    end();
    await outage(fleet, { type: 'drop-request' }, 60_000);
    await stage.end();
  });

  it('keeps idle leases too: renewals are repeated within the lease, whatever surveys do', async () => {
    const { stage, workers } = await pair();
    strike(workers, fair);
    await stage.clock.advance(120_000);
    expect(lost(workers)).to.deep.equal([]);
    await stage.end();
  });
});

describe('scenario 33: the credentials expire, or names are not resolved, for 5 min', function () {
  this.timeout(20_000);
  const minutes = 5 * 60_000;

  it('credentials: as in an outage of the table; the same owners resume', async () => {
    const fleet = await pair();
    const end = fleet.stage.kinesis.faults.add({ on: 'read', fault: { type: 'drop-request' } });
    await fleet.stage.clock.advance(1_000);
    end();
    await outage(fleet, { type: 'forbid' }, minutes);
    await fleet.stage.end();
  });

  it('DNS, so neither the table nor Kinesis is reached: nobody fails, the same owners resume', async () => {
    const { stage, workers } = await pair();
    const before = owned(workers);
    const end = strike(workers, { fault: { type: 'drop-request' } });
    const heal = stage.kinesis.faults.add({ on: 'read', fault: { type: 'drop-request' } });
    const found = stage.kinesis.faults.add({ on: 'iterator', fault: { type: 'drop-request' } });
    await busyFor(stage, minutes, 'during');
    expect(owned(workers)).to.deep.equal([[], []]);
    for (const over of [end, heal, found]) over();
    const resumed = (): boolean => String(owned(workers)) === String(before);
    await stage.until('the same owners go on', resumed, failoverMs + 5_000);
    await stage.until('what came meanwhile is read', () => stage.audit.undelivered() === 0, 20_000);
    expect(workers.flatMap((worker) => eventsOf(worker, 'record-dead-lettered'))).to.deep.equal([]);
    expect(stage.audit.repeated().length, 'only what was not yet saved comes again').to.be.below(80);
    await stage.end();
  });
});
