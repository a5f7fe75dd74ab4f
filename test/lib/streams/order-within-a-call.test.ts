import { expect } from 'chai';
import { codes, failureOf, type Put, record, records, setUp, shardId } from './writer-scene.ts';

describe('StampedWriter: order within a call', () => {
  it('names in each stamp the record of its key before it in the same call, and only there', async () => {
    const { writer, finish, stored } = setUp({ limits: { batchRecords: 4 } });
    await finish(writer.put(records('a1', 'b1', 'a2', 'a3', 'a4', 'a5')));
    expect(stored().map(({ name, stamp }) => [name, stamp.after])).to.deep.equal([
      ['a1', undefined],
      ['b1', undefined],
      ['a2', 1n],
      ['a3', 3n],
      ['a4', undefined],
      ['a5', 5n],
    ]);
  });

  it('does not name a record that is left out of the call, nor one of the key that another shard takes', async () => {
    const { writer, finish, stored } = setUp({ limits: { recordBytes: 100 } });
    const tooLarge = { ...record('a1'), encode: () => new Uint8Array(100) };
    const elsewhere = { ...record('a2'), explicitHashKey: '1' };
    await failureOf(finish(writer.put([tooLarge, elsewhere, record('a3')])));
    expect(stored().map(({ stamp }) => stamp.after)).to.deep.equal([undefined, undefined]);
  });

  it('puts again, behind a refused record, what the call stored of its key, and gives that receipt', async () => {
    const { writer, finish, kinesis, events, stored, calls } = setUp();
    kinesis.faults.add({ times: 1, fault: { type: 'refuse-entries', fails: (index) => index === 1 } });
    const receipts = await finish(writer.put(records('a1', 'a2', 'a3', 'b1', 'a4')));
    expect(stored().map(({ name, stamp }) => [name, stamp.position, stamp.after])).to.deep.equal([
      ['a1', 1n, undefined],
      ['a3', 3n, 2n],
      ['b1', 4n, undefined],
      ['a4', 5n, 3n],
      ['a2', 2n, undefined],
      ['a3', 3n, 2n],
      ['a4', 5n, undefined],
    ]);
    const lies = kinesis.recordsOf('s', shardId).map(({ sequenceNumber }) => sequenceNumber);
    const places = receipts.map(({ sequenceNumber }) => lies.indexOf(sequenceNumber));
    expect(places).to.deep.equal([0, 4, 5, 2, 6]);
    expect(calls()).to.deep.equal([5, 2, 1]);
    expect(events).to.deep.include({ type: 'put-again', records: 2 });
  });

  it('shortens calls most of which did not count, and lets them grow again', async () => {
    const { writer, finish, kinesis, names, calls } = setUp();
    kinesis.faults.add({ times: 1, fault: { type: 'refuse-entries', fails: (index) => index === 1 } });
    await finish(writer.put(records('a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9')));
    expect(calls()).to.deep.equal([9, 1, 2, 4, 1]);
    expect(names().slice(-8)).to.deep.equal(['a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9']);
  });

  it('keeps calls full where most of each counts', async () => {
    const { writer, finish, kinesis, calls } = setUp({ limits: { batchRecords: 4 } });
    kinesis.faults.add({ times: 1, fault: { type: 'refuse-entries', fails: (index) => index === 2 } });
    await finish(writer.put(records('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')));
    expect(calls()).to.deep.equal([4, 4, 1]);
  });

  it('counts a try only for the first refused record of a key: those behind it had no chance', async () => {
    const { writer, finish, kinesis, names } = setUp({
      limits: { backoff: { firstMs: 10, maxMs: 20, tries: 2 }, batchRecords: 3 },
    });
    kinesis.faults.add({ times: 1, fault: { type: 'refuse-entries', fails: () => true } });
    kinesis.faults.add({ times: 2, fault: { type: 'refuse-entries', fails: (index) => index > 0 } });
    await finish(writer.put(records('a1', 'a2', 'a3')));
    expect(names()).to.deep.equal(['a1', 'a2', 'a3']);
  });

  it('puts again what was stored before the record that it should follow', async () => {
    const backwards =
      (put: Put): Put =>
      async (stream, entries) =>
        (await put(stream, entries.toReversed())).toReversed();
    const around = (call: number, put: Put) => (call === 1 ? backwards(put) : put);
    const { writer, finish, names } = setUp({ around });
    await finish(writer.put(records('a1', 'b1', 'a2')));
    expect(names()).to.deep.equal(['a2', 'b1', 'a1', 'a2']);
  });

  it('holds back the key of a record it gave up until the floor has passed it: a late copy cannot swap them', async () => {
    const { writer, finish, kinesis, stored } = setUp({
      limits: { backoff: { firstMs: 10, maxMs: 20, tries: 2 } },
    });
    const refuse = (...indexes: readonly number[]) =>
      kinesis.faults.add({
        times: 1,
        fault: { type: 'refuse-entries', fails: (index) => indexes.includes(index) },
      });
    refuse(0, 2);
    refuse(1, 2);
    const put = writer.put(records('z1', 'z2', 'a1', 'a2', 'b', 'c', 'd', 'e'));
    const failure = await failureOf(finish(put));
    expect(codes(failure).slice(0, 4)).to.deep.equal([
      'ok',
      'ok',
      'ProvisionedThroughputExceededException',
      'ok',
    ]);
    const lastTwo = stored().slice(-2);
    expect(lastTwo.map(({ name, stamp }) => [name, stamp.after, stamp.floor])).to.deep.equal([
      ['z2', undefined, 1n],
      ['a2', undefined, 3n],
    ]);
  });

  it('fails what is put again, too, when the record before it failed and will come again', async () => {
    const { writer, finish, kinesis, names } = setUp({
      limits: { backoff: { firstMs: 10, maxMs: 20, tries: 2 } },
    });
    kinesis.faults.add({ times: 2, fault: { type: 'refuse-entries', fails: (index) => index === 0 } });
    const put = () => writer.put([record('a1', 1n), record('a2', 2n), record('b1', 3n)]);
    const failure = await failureOf(finish(put()));
    expect(codes(failure)).to.deep.equal(['ProvisionedThroughputExceededException', 'stopped', 'ok']);
    await finish(put());
    expect(names().slice(-3)).to.deep.equal(['a1', 'a2', 'b1']);
  });
});
