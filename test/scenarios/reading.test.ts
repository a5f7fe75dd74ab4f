import { expect } from 'chai';
import type { Kinesis } from '../../lib/streams/kinesis.ts';
import { KinesisError } from '../../lib/streams/kinesis-error.ts';
import {
  createStage,
  eventsOf,
  failoverMs,
  shardId,
  type Stage,
  type StageWorker,
  stream,
} from './support/stage.ts';

const minuteMs = 60_000;

/** Nothing missing, nothing twice, no lease lost. */
function assertOnce(stage: Stage, ...workers: readonly StageWorker[]): void {
  expect([stage.audit.undelivered(), stage.audit.repeated()]).to.deep.equal([0, []]);
  expect(workers.flatMap((worker) => eventsOf(worker, 'lease-lost'))).to.deep.equal([]);
}

describe('scenario 17: the end of a shard that is none, and a shard that is said to be gone', function () {
  this.timeout(20_000);

  it('an empty answer with no next iterator and no children is asked for again', async () => {
    const stage = createStage(1);
    let lies = 5;
    const kinesis = (port: Kinesis): Kinesis => ({
      ...port,
      read: async (...call) => {
        lies -= 1;
        return lies < 0 ? port.read(...call) : { records: [], millisBehindLatest: 0, childShards: [] };
      },
    });
    const a = stage.start('a', { kinesis });
    await stage.putEach(10, 'r');
    await stage.until('all is read', () => stage.audit.undelivered() === 0, 10_000);
    expect(eventsOf(a, 'lease-finished')).to.deep.equal([]);
    expect(eventsOf(a, 'read-failed').map(({ failure }) => failure.code)).to.deep.equal(
      Array.from({ length: 5 }, () => 'no-children'),
    );
    assertOnce(stage, a);
    await stage.end();
  });

  it('ResourceNotFound for a shard that is listed is not believed; for one that is not, it ends the lease, which goes', async () => {
    const stage = createStage(2);
    let gone = false;
    let listed = true;
    const refuse = (): never => {
      throw new KinesisError('shard-not-found', 'simulated');
    };
    const kinesis = (port: Kinesis): Kinesis => ({
      ...port,
      iterator: async (name, id, ...rest) =>
        gone && id === shardId(1) ? refuse() : port.iterator(name, id, ...rest),
      read: async (name, iterator, ...rest) =>
        gone && iterator.includes(shardId(1)) ? refuse() : port.read(name, iterator, ...rest),
      listShards: async (...call) =>
        (await port.listShards(...call)).filter((shard) => listed || shard.shardId !== shardId(1)),
    });
    const a = stage.start('a', { kinesis });
    await stage.putEach(5, 'r');
    await stage.until('all is read', () => stage.audit.undelivered() === 0, 10_000);
    await stage.clock.advance(5_000);
    gone = true;
    await stage.clock.advance(20_000);
    expect([...a.shards()].sort()).to.deep.equal([shardId(0), shardId(1)]);
    listed = false;
    await stage.until('the shard is given up', () => a.shards().join() === shardId(0), 20_000);
    expect(eventsOf(a, 'lease-finished')).to.deep.equal([
      { type: 'lease-finished', leaseKey: shardId(1), children: [] },
    ]);
    await stage.until('its lease is removed', () => !stage.table.items.has(shardId(1)), 90_000);
    await stage.end();
  });
});

describe('scenario 18: an iterator that expires under back-pressure', function () {
  this.timeout(20_000);

  it('a handler that takes 6 min for a batch: reading goes on after the last record; none twice, none missing', async () => {
    const stage = createStage(2);
    const slow = stage.start('a', {
      options: { prefetchPagesMax: 1, recordsPerReadMax: 5 },
      handle: () => stage.clock.sleep(6 * minuteMs),
    });
    await stage.putEach(25, 'r');
    await stage.until('all is read', () => stage.audit.undelivered() === 0, 60 * minuteMs);
    expect(eventsOf(slow, 'iterator-expired').length).to.be.at.least(4);
    assertOnce(stage, slow);
    await stage.end();
  });
});

describe('scenario 19: Kinesis throttles', function () {
  this.timeout(20_000);

  it('four of five reads, as four other applications would: the lag shows, no lease is lost, each shard gets on alike', async () => {
    const stage = createStage(8);
    const a = stage.start('a', { options: { recordsPerReadMax: 1 } });
    await stage.clock.advance(5_000);
    stage.kinesis.faults.add({ on: 'read', chance: 0.8, fault: { type: 'throttle' } });
    const least: number[] = [];
    const progress = (): number => {
      const counts = Array.from({ length: 8 }, (_, n) => {
        return stage.audit.delivered.filter((delivered) => delivered.shardId === shardId(n)).length;
      });
      least.push(Math.min(...counts) / Math.max(...counts));
      return Math.max(...a.consumer.snapshot().map(({ lagMs }) => lagMs ?? 0));
    };
    await stage.putEach(150, 'r');
    await stage.clock.advance(30_000);
    const lagMs = progress();
    expect(lagMs).to.be.greaterThan(20_000);
    await stage.clock.advance(3 * minuteMs);
    expect(progress()).to.be.greaterThan(lagMs);
    expect(least.at(-1), 'the slowest shard against the fastest').to.be.greaterThan(1 / 4);
    await stage.until('all is read', () => stage.audit.undelivered() === 0, 30 * minuteMs);
    await stage.clock.advance(30_000);
    expect(progress()).to.equal(0);
    assertOnce(stage, a);
    await stage.end();
  });
});

describe('scenario 22: a position that was trimmed', function () {
  this.timeout(20_000);

  /** Two workers' lives with a stop of 30 h between them, longer than the stream keeps anything. */
  async function stopped(dataLoss: 'continue' | 'stop-shard', kinesis?: (port: Kinesis) => Kinesis) {
    const stage = createStage(1);
    const a = stage.start('a');
    await stage.putEach(5, 'read');
    await stage.until('all is read', () => stage.audit.undelivered() === 0, 10_000);
    a.stop();
    await stage.until('it has stopped', a.ended, 30_000);
    const last = stage.kinesis.recordsOf(stream, shardId(0)).at(-1)!.sequenceNumber;
    await stage.putEach(5, 'lost');
    const lost = stage.kinesis.recordsOf(stream, shardId(0)).map(({ sequenceNumber }) => sequenceNumber);
    await stage.clock.advance(30 * 60 * minuteMs);
    await stage.kinesis.put(stream, [{ partitionKey: 'any', data: new TextEncoder().encode('kept') }]);
    const kept = stage.kinesis.recordsOf(stream, shardId(0)).at(-1)!.sequenceNumber;
    const seen: string[] = [];
    const b = stage.start('b', {
      options: { dataLoss },
      ...(kinesis && { kinesis }),
      handle: async (records) => void seen.push(...records.map(({ data }) => new TextDecoder().decode(data))),
    });
    await stage.clock.advance(10_000);
    expect(lost).to.have.length(10);
    return { stage, b, seen, range: { after: last, before: kept } };
  }

  it('is reported with its range, and reading goes on at the oldest record', async () => {
    const { b, range, seen } = await stopped('continue');
    const losses = eventsOf(b, 'data-loss').map(({ after, before }) => ({ after, before }));
    expect(losses).to.deep.equal([range]);
    expect(seen).to.deep.equal(['kept']);
  });

  it('is reported as well where Kinesis refuses the position', async () => {
    const refused = (port: Kinesis): Kinesis => ({
      ...port,
      iterator: async (name, id, from) => {
        if (from.type === 'AT_SEQUENCE_NUMBER')
          throw new KinesisError('invalid-position', 'simulated: trimmed');
        return port.iterator(name, id, from);
      },
    });
    const { b, range, seen } = await stopped('continue', refused);
    const losses = eventsOf(b, 'data-loss').map(({ after, before }) => ({ after, before }));
    expect(losses).to.deep.equal([range]);
    expect(seen).to.deep.equal(['kept']);
  });

  it('is reported as well where Kinesis answers with nothing, for ever, as far behind as it keeps records', async () => {
    const silent = (port: Kinesis): Kinesis => ({
      ...port,
      iterator: async (name, id, from) => {
        return from.type === 'AT_SEQUENCE_NUMBER' ? 'stuck' : port.iterator(name, id, from);
      },
      read: async (name, iterator, ...rest) => {
        const stuck = { records: [], nextIterator: 'stuck', millisBehindLatest: 86_400_000, childShards: [] };
        return iterator === 'stuck' ? stuck : port.read(name, iterator, ...rest);
      },
    });
    const { b, range, seen, stage } = await stopped('continue', silent);
    await stage.clock.advance(2 * minuteMs);
    const losses = eventsOf(b, 'data-loss').map(({ after, before }) => ({ after, before }));
    expect(losses).to.deep.equal([range]);
    expect(seen).to.deep.equal(['kept']);
  });

  it('stops the shard where that is the policy; its lease stays held', async () => {
    const { b, seen } = await stopped('stop-shard');
    expect(b.consumer.snapshot()[0]).to.deep.include({ state: 'stopped' });
    expect(b.consumer.snapshot()[0]?.failure?.code).to.equal('data-loss');
    expect(seen).to.deep.equal([]);
  });
});

describe('scenario 30: LATEST on a fresh table', function () {
  this.timeout(20_000);
  const options = { initialPosition: { type: 'LATEST' } } as const;

  it('what is put between the making of the leases and their first reads is delivered, on every shard', async () => {
    const stage = createStage(8);
    await stage.kinesis.put(stream, [{ partitionKey: 'any', data: new TextEncoder().encode('of the past') }]);
    await stage.clock.advance(60_000);
    const a = stage.start('a', { options });
    // The leases are made; nobody gets to take one.
    const held = a.line.fault({ on: 'update', fault: { type: 'drop-request' } });
    await stage.until('the leases are made', () => stage.table.items.size === 8, 5_000);
    await stage.putEach(5, 'at once');
    await stage.clock.advance(120_000);
    await stage.putEach(5, 'later');
    a.freeze();
    held();
    // Others come, late; one shard is split before anybody has read it.
    stage.kinesis.split(stream, shardId(3));
    await stage.putEach(5, 'after the split');
    stage.start('b', { options });
    stage.start('c', { options });
    await stage.until('all is read', () => stage.audit.undelivered() === 0, failoverMs + 15_000);
    expect(stage.audit.delivered.map(({ text }) => text)).to.not.include('of the past');
    assertOnce(stage);
    await stage.end();
  });
});
