import { expect } from 'chai';
import type { DeadLetter } from '../../../lib/consumer/dead-letters.ts';
import { type LanePorts, laneProcessor } from '../../../lib/consumer/lanes.ts';
import { consumerOptions } from '../../../lib/consumer/options.ts';
import type { StreamRecord } from '../../../lib/consumer/processor.ts';
import { PlatformError } from '../../../lib/runtime/errors.ts';
import { createRandom } from '../../support/random.ts';
import { at, firstShard, type Scene, scene, stream, testLease, textOf } from './scene.ts';

/** Texts are `key:n`; the key decides the lane. */
async function put(kinesis: Scene['kinesis'], texts: readonly string[]): Promise<readonly string[]> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const entries = texts.map((text) => ({ partitionKey: text.split(':')[0]!, data: encode(text) }));
  const outcomes = await kinesis.put(stream, entries);
  return outcomes.map((outcome) => (outcome.ok ? outcome.sequenceNumber : ''));
}

function lanes(
  { clock }: Scene,
  eachRecord: (record: StreamRecord) => Promise<void>,
  over: Partial<LanePorts> = {},
) {
  const letters: DeadLetter[] = [];
  const processor = laneProcessor({
    eachRecord,
    concurrency: 4,
    inFlightMax: 100,
    inFlightBytesMax: 1_000_000,
    application: 'tests',
    deadLetters: { put: async (letter) => void letters.push(letter) },
    options: consumerOptions({ tries: 2, retryFirstMs: 10, retryMaxMs: 10 }),
    clock,
    random: () => 0,
    ...over,
  });
  return { processor, letters };
}

describe('lanes per partition key', () => {
  it('work on several keys at once and keep the order of each', async () => {
    const world = scene();
    await put(world.kinesis, ['a:1', 'a:2', 'b:1', 'c:1', 'b:2']);
    const log: string[] = [];
    const { processor } = lanes(world, async (record) => {
      log.push(`+${textOf(record)}`);
      await world.clock.sleep(textOf(record).startsWith('a') ? 1_000 : 100);
      log.push(`-${textOf(record)}`);
    });
    const lease = testLease(firstShard);
    const running = world.run(lease, processor);
    await world.clock.advance(3_000);
    expect(log).to.deep.equal('+a:1 +b:1 +c:1 -b:1 +b:2 -c:1 -b:2 -a:1 +a:2 -a:2'.split(' '));
    lease.drain();
    await running.outcome;
  });

  it('hold their own records and not the pages that these came with', async () => {
    const world = scene();
    await put(world.kinesis, ['a:1', 'b:1']);
    const read: Scene['kinesis']['read'] = async (...call) => {
      const page = await world.kinesis.read(...call);
      const whole = new Uint8Array(1_000);
      const inWhole = (data: Uint8Array, at: number): Uint8Array => {
        whole.set(data, at);
        return whole.subarray(at, at + data.length);
      };
      return {
        ...page,
        records: page.records.map((raw, i) => ({ ...raw, data: inWhole(raw.data, 10 * i) })),
      };
    };
    const held: (readonly [string, number])[] = [];
    const { processor } = lanes(world, async (record) => {
      held.push([textOf(record), record.data.buffer.byteLength]);
    });
    const lease = testLease(firstShard);
    const running = world.run(lease, processor, { ...world.kinesis, read });
    await world.clock.advance(100);
    expect(held).to.deep.equal([
      ['a:1', 3],
      ['b:1', 3],
    ]);
    lease.drain();
    await running.outcome;
  });

  it('let the checkpoint follow only what is done without a gap; a drain waits for the rest', async () => {
    const world = scene({ checkpointMs: 500 });
    const sequences = await put(world.kinesis, ['fast:1', 'slow:1', 'fast:2', 'fast:3']);
    const done: string[] = [];
    const { processor } = lanes(world, async (record) => {
      if (textOf(record).startsWith('slow')) await world.clock.sleep(5_000);
      done.push(textOf(record));
    });
    const lease = testLease(firstShard);
    const running = world.run(lease, processor);
    await world.clock.advance(1_600);
    expect(done).to.deep.equal(['fast:1', 'fast:2', 'fast:3']);
    const upTo = () => lease.log.checkpoints.map((checkpoint) => checkpoint.upTo.sequenceNumber);
    expect([...new Set(upTo())]).to.deep.equal([sequences[0]]);
    lease.drain();
    await world.clock.advance(3_000);
    expect(running.over()).to.equal(undefined);
    await world.clock.advance(1_000);
    expect(running.over()).to.equal('drained');
    expect(lease.log.checkpoints.at(-1)?.upTo).to.deep.equal(at(sequences[3]!));
  });

  it('take no more records than may be in flight', async () => {
    const world = scene();
    await put(world.kinesis, ['a:1', 'b:1', 'c:1', 'd:1', 'e:1']);
    let inWork = 0;
    let most = 0;
    const { processor } = lanes(
      world,
      async () => {
        inWork += 1;
        most = Math.max(most, inWork);
        await world.clock.sleep(100);
        inWork -= 1;
      },
      { inFlightMax: 2 },
    );
    const lease = testLease(firstShard);
    const running = world.run(lease, processor);
    await world.clock.advance(2_000);
    expect(most).to.equal(2);
    lease.drain();
    await running.outcome;
  });

  it('set a poison record aside and go on with its key; an outage is waited for', async () => {
    const world = scene();
    await put(world.kinesis, ['a:1', 'a:bad', 'a:3', 'b:1']);
    const done: string[] = [];
    const { letters, processor } = lanes(world, async (record) => {
      if (textOf(record) === 'a:bad') throw new TypeError('bad');
      if (textOf(record) === 'b:1' && world.clock.monotonic() < 2_000) {
        throw new PlatformError('down', 'try later', { retryable: true });
      }
      done.push(textOf(record));
    });
    const lease = testLease(firstShard);
    const running = world.run(lease, processor);
    await world.clock.advance(1_000);
    expect(done).to.deep.equal(['a:1', 'a:3']);
    expect(letters.map(({ partitionKey, reason }) => [partitionKey, reason])).to.deep.equal([
      ['a', 'handler-failed'],
    ]);
    await world.clock.advance(2_000);
    expect(done).to.deep.equal(['a:1', 'a:3', 'b:1']);
    lease.drain();
    await running.outcome;
  });

  it('stop the shard where that is the policy', async () => {
    const world = scene();
    const sequences = await put(world.kinesis, ['a:1', 'a:bad', 'b:1']);
    const fail = async (record: StreamRecord) => {
      if (textOf(record) === 'a:bad') throw new TypeError('bad');
    };
    const { processor } = lanes(world, fail, {
      options: consumerOptions({ tries: 1, poison: 'stop-shard' }),
    });
    const lease = testLease(firstShard);
    const running = world.run(lease, processor);
    await world.clock.advance(10_000);
    expect(running.run.status().failure?.code).to.equal('poison-record');
    expect(lease.log.checkpoints.map(({ upTo }) => upTo)).to.deep.equal([at(sequences[0]!)]);
    lease.drain();
    await running.outcome;
  });

  for (let seed = 1; seed <= 30; seed += 1) {
    it(`lose nothing through crashes: what was not done comes again (seed ${seed})`, async () => {
      const random = createRandom(seed);
      const world = scene({ checkpointMs: 100, batchRecordsMax: 7 });
      const texts = Array.from({ length: 120 }, (_, index) => `${Math.floor(random() * 6)}:${index}`);
      await put(world.kinesis, texts);
      const done: string[] = [];
      let taken = {};
      for (let crash = 0; crash < 6; crash += 1) {
        const lease = testLease(firstShard, taken, crash);
        const { processor } = lanes(
          world,
          async (record) => {
            await world.clock.sleep(Math.floor(random() * 100));
            if (!lease.lease.lost.aborted) done.push(textOf(record));
          },
          { inFlightMax: 20 },
        );
        const running = world.run(lease, processor);
        await world.clock.advance(crash === 5 ? 60_000 : Math.floor(random() * 1_000));
        if (crash === 5) lease.drain();
        else lease.lose();
        await world.clock.settle();
        await running.outcome;
        const last = lease.log.checkpoints.at(-1);
        if (last) taken = { checkpoint: last.upTo, state: last.state };
      }
      expect(new Set(done)).to.deep.equal(new Set(texts));
    });
  }

  it('regression: begin nothing once the lease has gone, although no timer could tell yet', async () => {
    const world = scene();
    await put(world.kinesis, ['a:1', 'a:2']);
    const lease = testLease(firstShard);
    let isOver = false;
    const verify = async () => {
      if (isOver) throw new PlatformError('lease-lost', 'the deadline has passed');
    };
    const done: string[] = [];
    const { processor } = lanes(world, async (record) => {
      done.push(textOf(record));
      await world.clock.sleep(20_000);
      isOver = true;
    });
    const running = world.run({ ...lease, lease: { ...lease.lease, verify } }, processor);
    await world.clock.advance(60_000);
    expect(done).to.deep.equal(['a:1']);
    expect(running.over()).to.equal('lost');
  });

  it('regression: try nothing again once the shard was given up, because of another lane', async () => {
    const world = scene();
    await put(world.kinesis, ['bad:1', 'slow:1']);
    const lease = testLease(firstShard);
    const tries: number[] = [];
    const { processor } = lanes(
      world,
      async (record) => {
        if (textOf(record) === 'bad:1') throw new Error('poison');
        tries.push(world.clock.monotonic());
        throw new PlatformError('table-throttled', 'later', { retryable: true });
      },
      { options: consumerOptions({ tries: 2, retryFirstMs: 10, retryMaxMs: 10, poison: 'stop-shard' }) },
    );
    const running = world.run(lease, processor);
    await world.clock.advance(2_000);
    lease.drain();
    await world.clock.advance(20);
    expect(running.over()).to.equal('drained');
    const before = tries.length;
    await world.clock.advance(10_000);
    expect(tries.length).to.equal(before);
  });
});
