import { expect } from 'chai';
import type { OutgoingRecord } from '../../../lib/streams/writer.ts';
import { codes, failureOf, type Put, record, records, setUp, shardId } from './writer-scene.ts';

describe('StampedWriter: order', () => {
  it('puts records of different keys with one call and gives receipts in the order given', async () => {
    const { writer, finish, kinesis, calls } = setUp();
    const receipts = await finish(writer.put(records('c', 'a', 'b')));
    const stored = kinesis.recordsOf('s', shardId).map(({ sequenceNumber }) => ({ shardId, sequenceNumber }));
    expect(receipts).to.deep.equal(stored);
    expect(calls()).to.deep.equal([3]);
  });

  it('fills calls whatever the keys, in the order given', async () => {
    const { writer, finish, names, calls } = setUp();
    const given = Array.from({ length: 1_200 }, (_, index) => `${'ab'[index % 2]}${index}`);
    await finish(writer.put(records(...given)));
    expect(names()).to.deep.equal(given);
    expect(calls()).to.deep.equal([500, 500, 200]);
  });

  it('sends what is given while a call is under way together, in the order of the puts', async () => {
    const { writer, finish, names, calls } = setUp();
    const puts = ['a', 'b', 'c', 'd'].map((name) => writer.put(records(name)));
    await finish(Promise.all(puts));
    expect(names()).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(calls()).to.deep.equal([1, 3]);
  });

  it('holds back the key of a refused record until it is taken, and lets other keys go on', async () => {
    const { writer, finish, kinesis, names } = setUp();
    kinesis.faults.add({ times: 2, fault: { type: 'refuse-entries', fails: (_, key) => key === 'a' } });
    await finish(writer.put(records('a1', 'b1', 'a2', 'b2', 'c1')));
    expect(names().filter((name) => name.startsWith('a'))).to.deep.equal(['a1', 'a2']);
    expect(names().indexOf('c1')).to.be.lessThan(names().indexOf('a1'));
  });

  it('repeats a call that was lost as a whole before anything else', async () => {
    const { writer, finish, kinesis, names } = setUp();
    kinesis.faults.add({ times: 3, fault: { type: 'drop-request' } });
    await finish(Promise.all([writer.put(records('a', 'b')), writer.put(records('c'))]));
    expect(names()).to.deep.equal(['a', 'b', 'c']);
  });

  it('writes a record again under the same position when the answer was lost', async () => {
    const { writer, finish, kinesis, stored } = setUp();
    kinesis.faults.add({ times: 1, fault: { type: 'drop-response' } });
    await finish(writer.put(records('a')));
    expect(stored().map(({ stamp }) => stamp.position)).to.deep.equal([1n, 1n]);
  });
});

describe('StampedWriter: stamps', () => {
  it('counts positions from above the start floor, and raises the floor with what is acknowledged', async () => {
    const { writer, finish, stored } = setUp({ startFloor: 41n });
    await finish(writer.put(records('a1', 'b1', 'a2')));
    await finish(writer.put(records('c')));
    expect(stored().map(({ stamp }) => [stamp.position, stamp.floor])).to.deep.equal([
      [42n, 41n],
      [43n, 41n],
      [44n, 41n],
      [45n, 44n],
    ]);
  });

  it('never states a floor at or above a position that is not settled', async () => {
    const { writer, finish, kinesis, stored } = setUp();
    kinesis.faults.add({ times: 4, fault: { type: 'refuse-entries', fails: (_, key) => key === 'a' } });
    await finish(writer.put(records('a1', 'b1', 'b2', 'b3', 'b4')));
    const before = stored().slice(
      0,
      stored().findIndex(({ name }) => name === 'a1'),
    );
    expect(before.map(({ stamp }) => stamp.floor)).to.deep.equal([0n, 0n, 0n, 0n]);
  });

  it('refuses positions that do not increase', async () => {
    const { writer, finish } = setUp();
    const put = writer.put([record('a', 5n), record('b', 5n)]);
    const error = await finish(put.catch((thrown: unknown) => thrown));
    expect(error).to.include({ code: 'bad-position' });
  });

  it('goes only so far past a record that is refused again and again', async () => {
    const { writer, finish, kinesis, names } = setUp({ limits: { aheadRecords: 4 } });
    kinesis.faults.add({ fault: { type: 'refuse-entries', fails: (_, key) => key === 'a' } });
    const failure = await failureOf(finish(writer.put([record('a', 1n), ...numbered(2, 20)])));
    expect(names()).to.deep.equal(['b2', 'b3', 'b4']);
    expect(new Set(codes(failure))).to.deep.equal(
      new Set(['ProvisionedThroughputExceededException', 'ok', 'stopped']),
    );
  });
});

function numbered(from: number, to: number): readonly OutgoingRecord[] {
  return Array.from({ length: to - from + 1 }, (_, index) =>
    record(`b${from + index}`, BigInt(from + index)),
  );
}

describe('StampedWriter: failures', () => {
  it('says per record what happened when the tries are used up', async () => {
    const { writer, finish, kinesis, events } = setUp({
      limits: { backoff: { firstMs: 10, maxMs: 20, tries: 3 } },
    });
    kinesis.faults.add({ fault: { type: 'refuse-entries', fails: (_, key) => key === 'a' } });
    const failure = await failureOf(finish(writer.put(records('b', 'a', 'c'))));
    expect(codes(failure)).to.deep.equal(['ok', 'ProvisionedThroughputExceededException', 'ok']);
    expect(events.filter(({ type }) => type === 'refused')).to.have.length(3);
  });

  it('stops what is in flight when a record before it is given up, unless that call takes it', async () => {
    const abort = new AbortController();
    const around = (call: number, put: Put): Put => {
      if (call === 2) abort.abort();
      return put;
    };
    const { writer, finish, kinesis } = setUp({ around });
    kinesis.faults.add({ times: 2, fault: { type: 'refuse-entries', fails: (_, key) => key < 'c' } });
    const first = failureOf(writer.put([record('z1', 1n), record('a1', 2n)], abort.signal));
    const second = failureOf(writer.put([record('b1', 3n), record('c1', 4n)]));
    expect(codes(await finish(first))).to.deep.equal(['ok', 'aborted']);
    expect(codes(await finish(second))).to.deep.equal(['stopped', 'ok']);
  });

  it('fails at once what no retry can mend: a stream that is not there', async () => {
    const { writer, finish, events } = setUp({ stream: 'missing' });
    const failure = await failureOf(finish(writer.put(records('a', 'b'))));
    expect(codes(failure)).to.deep.equal(['stream-not-found', 'stream-not-found']);
    expect(events.map(({ type }) => type)).to.deep.equal(['given-up']);
  });

  it('leaves out a record that is too large, has no key or cannot be encoded, and puts the others', async () => {
    const { writer, finish, names } = setUp({ limits: { recordBytes: 100 } });
    const tooLarge = { partitionKey: 'l', encode: () => new Uint8Array(100) };
    const keyless = { partitionKey: '', encode: () => new Uint8Array(1) };
    const hashless = { ...record('h'), explicitHashKey: '-1' };
    const broken = {
      partitionKey: 'x',
      encode: () => {
        throw new Error('no such schema');
      },
    };
    const put = writer.put([record('a'), tooLarge, keyless, hashless, broken, record('b')]);
    const failure = await failureOf(finish(put));
    expect(codes(failure)).to.deep.equal([
      'ok',
      'record-too-large',
      'bad-key',
      'bad-key',
      'not-encodable',
      'ok',
    ]);
    expect(failure.outcomes[4]).to.include({ message: 'no such schema' });
    expect(names()).to.deep.equal(['a', 'b']);
  });

  it('stops what its sender numbered behind a failed record, in later puts too', async () => {
    const { writer, finish, kinesis, names } = setUp({
      limits: { backoff: { firstMs: 10, maxMs: 20, tries: 2 }, batchRecords: 2, queuedRecords: 4 },
    });
    kinesis.faults.add({ times: 2, fault: { type: 'drop-request' } });
    const first = writer.put([record('a', 1n), record('b', 2n), record('c', 3n)]);
    const second = writer.put([record('d', 4n)]);
    const inLine = writer.put([record('e', 5n)]);
    const failures = await finish(Promise.all([first, second, inLine].map(failureOf)));
    expect(failures.map(codes)).to.deep.equal([
      ['kinesis-unavailable', 'kinesis-unavailable', 'stopped'],
      ['stopped'],
      ['stopped'],
    ]);
    await finish(writer.put([record('a', 1n), record('b', 2n)]));
    expect(names()).to.deep.equal(['a', 'b']);
  });

  it('gives up what waits when the signal aborts, and tells what was put', async () => {
    const { writer, finish, kinesis } = setUp();
    kinesis.faults.add({ fault: { type: 'refuse-entries', fails: (_, key) => key === 'a' } });
    const abort = new AbortController();
    const put = failureOf(writer.put(records('a', 'b'), abort.signal));
    await finish(writer.put(records('c')));
    abort.abort();
    expect(codes(await finish(put))).to.deep.equal(['aborted', 'ok']);
  });

  it('puts nothing for a signal that is aborted already', async () => {
    const { writer, finish, names } = setUp();
    const failure = await failureOf(finish(writer.put(records('a'), AbortSignal.abort())));
    expect(codes(failure)).to.deep.equal(['aborted']);
    expect(names()).to.deep.equal([]);
  });
});

describe('StampedWriter: back-pressure', () => {
  it('takes records into its queue only while there is room, in the order of the puts', async () => {
    const { writer, finish, clock, kinesis, names, calls } = setUp({ limits: { queuedRecords: 3 } });
    const hold = kinesis.faults.add({ fault: { type: 'throttle' } });
    const puts = [writer.put(records('a', 'b')), writer.put(records('c', 'd')), writer.put(records('e'))];
    const abort = new AbortController();
    const waiting = failureOf(writer.put(records('f'), abort.signal));
    await clock.advance(100);
    abort.abort();
    expect(codes(await waiting)).to.deep.equal(['aborted']);
    hold();
    await finish(Promise.all(puts));
    expect(names()).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    expect(calls()).to.deep.equal([2, 3]);
  });

  it('takes a put that is larger than the queue when the queue is empty', async () => {
    const { writer, finish, names } = setUp({ limits: { queuedRecords: 2 } });
    await finish(writer.put(records('a', 'b', 'c', 'd')));
    expect(names()).to.deep.equal(['a', 'b', 'c', 'd']);
  });
});
