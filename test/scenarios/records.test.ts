import { expect } from 'chai';
import { hashKeyOf } from '../../lib/streams/hash-key.ts';
import { aggregate } from '../../lib/streams/kpl.ts';
import {
  createStage,
  eventsOf,
  failoverMs,
  shardId,
  type Stage,
  type StageWorker,
  stream,
  texts,
  type WorkerPlan,
} from './support/stage.ts';

const textOf = ({ data }: { readonly data: Uint8Array }): string => new TextDecoder().decode(data);
const delivered = ({ audit }: Stage): readonly string[] => audit.delivered.map(({ text }) => text);

describe('scenario 23: a poison record in the middle of a batch', function () {
  this.timeout(20_000);

  const poisoned = 'each-shardId-000000000000-57';
  const handle: WorkerPlan['handle'] = async (records) => {
    if (records.some((record) => textOf(record) === poisoned)) throw new Error('cannot be handled');
  };

  it('is tried with backoff, found by halving, and set aside with its bytes; all others are handled in order, once', async () => {
    const stage = createStage(1);
    await stage.putEach(100, 'each');
    const a = stage.start('a', { handle, options: { tries: 4 } });
    await stage.until('all is done', () => stage.audit.undelivered() === 0, 60_000);
    const others = texts(100, 'each-shardId-000000000000-').filter((text) => text !== poisoned);
    expect(delivered(stage)).to.deep.equal(others);
    const record = stage.kinesis.recordsOf(stream, shardId(0))[57]!;
    expect(stage.letters).to.have.length(1);
    expect(stage.letters[0]).to.deep.include({
      consumer: 'tests',
      stream,
      shardId: shardId(0),
      sequenceNumber: record.sequenceNumber,
      subSequenceNumber: 0,
      partitionKey: poisoned,
      arrivedAtMs: record.arrivedAtMs,
      error: 'cannot be handled',
      tries: 4,
    });
    expect(textOf(stage.letters[0]!)).to.equal(poisoned);
    const retries = eventsOf(a, 'batch-retried').filter(({ records }) => records === 100);
    expect(retries).to.have.length(3);
    await stage.clock.advance(5_000);
    const last = stage.kinesis.recordsOf(stream, shardId(0)).at(-1)!.sequenceNumber;
    expect(stage.table.items.get(shardId(0))).to.include({ checkpoint: last });
    await stage.end();
  });

  it('is not skipped while its letter cannot be written: the shard waits at it, and the others go on', async () => {
    const stage = createStage(2);
    let out = true;
    const deadLetter = async (): Promise<void> => {
      if (out) throw new Error('the queue of dead letters is out');
    };
    await stage.putEach(100, 'each');
    stage.start('a', { handle, deadLetter });
    await stage.clock.advance(120_000);
    const before = texts(57, 'each-shardId-000000000000-');
    expect(delivered(stage).filter((text) => text.includes(shardId(0)))).to.deep.equal(before);
    expect(delivered(stage)).to.have.length(157);
    expect(stage.table.items.get(shardId(0))).to.include({ checkpoint: 'TRIM_HORIZON' });
    out = false;
    await stage.until('all is done', () => stage.audit.undelivered() === 0, 20_000);
    expect(stage.letters).to.have.length(1);
    await stage.end();
  });
});

describe('scenario 24: KPL aggregates', function () {
  this.timeout(20_000);
  const users = texts(100, 'user').map((text) => ({
    partitionKey: text,
    data: new TextEncoder().encode(text),
  }));
  const entry = { partitionKey: 'aggregate', explicitHashKey: '0', data: aggregate(users) };

  it('a crash behind user record 57 of 100: the next owner goes on with the one after it', async () => {
    const stage = createStage(1);
    const options = { batchRecordsMax: 1, checkpointMs: 1 };
    const a: StageWorker = stage.start('a', {
      options,
      handle: () => a.clock.sleep(5),
      // The checkpoint of the 57th (numbers begin at 0) is written, and that was all.
      onEvent: (event, { clock }) => {
        if (event.type === 'checkpointed' && event.upTo.subSequenceNumber === 56) clock.freeze('stopped');
      },
    });
    await stage.put([entry]);
    await stage.until('it has crashed', () => a.clock.frozen(), 10_000);
    expect(stage.table.items.get(shardId(0))).to.include({ checkpointSubSequenceNumber: 56 });
    stage.start('b', { options });
    const all = (): boolean => delivered(stage).includes('user99');
    await stage.until('the rest is read', all, failoverMs + 5_000);
    expect(delivered(stage)).to.deep.equal(texts(100, 'user'));
    await stage.end();
  });

  it('a digest that does not fit: it is a plain record', async () => {
    const stage = createStage(1);
    const data = aggregate(users);
    data[data.length - 1]! ^= 1;
    const seen: number[] = [];
    stage.start('a', {
      handle: async (records) => void seen.push(...records.map((record) => record.data.length)),
    });
    await stage.put([{ ...entry, data }]);
    await stage.until('it is read', () => stage.audit.undelivered() === 0, 5_000);
    expect(seen).to.deep.equal([data.length]);
    await stage.end();
  });

  it('user records outside the range of their shard, after a reshard: only those are left out, and counted', async () => {
    const stage = createStage(1);
    const [low = '', high = ''] = stage.kinesis.split(stream, shardId(0));
    const shards = stage.kinesis.shardsOf(stream);
    const start = BigInt(shards.find((shard) => shard.shardId === high)!.startingHashKey);
    const a = stage.start('a');
    await stage.put([entry]);
    await stage.until('it is read', () => stage.audit.undelivered() === 0, 10_000);
    const inside = texts(100, 'user').filter((text) => hashKeyOf(text) < start);
    expect(inside.length).to.be.within(20, 80);
    expect(delivered(stage)).to.deep.equal(inside);
    expect(stage.audit.delivered.every((one) => one.shardId === low)).to.equal(true);
    expect(eventsOf(a, 'foreign-user-record')).to.have.length(100 - inside.length);
    await stage.end();
  });
});
