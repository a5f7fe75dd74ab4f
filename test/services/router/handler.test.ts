import { expect } from 'chai';
import fc from 'fast-check';
import type { DeadLetter } from '../../../lib/consumer/dead-letters.ts';
import type { EventHandler, EventRecord } from '../../../lib/consumer/events.ts';
import type { ShardStart } from '../../../lib/consumer/processor.ts';
import { decodeJson, encodeJson } from '../../../lib/event/codec-json.ts';
import { attribute } from '../../../lib/event/event.ts';
import { parseRoutes } from '../../../lib/event/routes.ts';
import { type Clock, systemClock } from '../../../lib/runtime/clock.ts';
import type { BusMessage } from '../../../lib/stores/bus.ts';
import { createDedupeStore, type DedupeStore } from '../../../lib/stores/dedupe.ts';
import { createMemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import type { Position } from '../../../lib/streams/position.ts';
import { parseStamp } from '../../../lib/streams/stamp.ts';
import { StampReader } from '../../../lib/streams/stamp-reader.ts';
import { createStampedWriter } from '../../../lib/streams/stamped-writer.ts';
import { createRouterHandler } from '../../../services/router/handler.ts';
import { Crash, type CrashPlan, crashing } from '../../support/crashes.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';
import { noStart, type Sample, sampleContext, sampleRecord } from '../../support/events.ts';

const hourMs = 3_600_000;
const { rules } = parseRoutes(`
streams:
  city: { what: city events, encoding: json }
  all: { what: everything of a kind, encoding: json }
routes:
  - { name: city, when: { kind: [city] }, to: { stream: city } }
  - { name: all, when: { kind: [city, user] }, to: { stream: all } }
  - { name: critical, when: { severity: [critical] }, to: { bus: true } }
`);
const streams = ['city', 'all'] as const;
const at = (n: number): Position => ({ sequenceNumber: String(n), subSequenceNumber: 0 });
const clock: Clock = { ...systemClock, sleep: async () => {} };
const never: CrashPlan = { callsLeft: Number.POSITIVE_INFINITY, takesEffect: true };

/** Where the router's effects go. The outbound streams have one shard each. */
function createWorld(dedupe: DedupeStore) {
  const kinesis = createMemoryKinesis({ clock });
  for (const stream of streams) kinesis.createStream(stream, 1);
  const told: BusMessage[] = [];
  const letters = new Map<string, DeadLetter>();
  const create = (plan: CrashPlan = never): EventHandler =>
    createRouterHandler({
      rules,
      horizonMs: hourMs,
      dedupe: crashing(dedupe, plan),
      bus: crashing({ send: async (messages: readonly BusMessage[]) => void told.push(...messages) }, plan),
      deadLetters: crashing(
        { put: async (letter: DeadLetter) => void letters.set(letter.sequenceNumber, letter) },
        plan,
      ),
      outlets: new Map(
        streams.map((stream) => [
          stream,
          {
            encode: encodeJson,
            open: (source, startFloor) =>
              crashing(
                createStampedWriter({ kinesis, stream, source, startFloor, clock, random: () => 0 }),
                plan,
              ),
          },
        ]),
      ),
    });
  /** Ids in order, as a reader of the stream takes them: without what the stamps prove to be second copies. */
  const readIds = (stream: string): readonly string[] => {
    const reader = StampReader.load(undefined);
    const records = kinesis.recordsOf(stream, 'shardId-000000000000');
    return records.flatMap(({ data, arrivedAtMs }) => {
      const event = decodeJson(data);
      const stamp = parseStamp(event.attributes[attribute.stamp] ?? '');
      return stamp && reader.judge(stamp, arrivedAtMs) !== 'new' ? [] : event.id;
    });
  };
  return { create, readIds, told, letters };
}

describe('the router', () => {
  let tables: TestTables;
  let dedupe: DedupeStore;
  let shards = 0;
  before(async () => {
    tables = await startTables(['dedupe']);
    dedupe = createDedupeStore({ client: tables.client, table: 'dedupe', clock });
  });
  after(() => tables.close());

  const nextContext = () => {
    shards += 1;
    return sampleContext({ stream: 'inbound', shardId: `s${shards}` });
  };
  const city = (sample: Sample): EventRecord => sampleRecord({ attributes: { kind: 'city' }, ...sample });

  it('sends an event to every target once, a repeat to none, and keeps what no rule matches', async () => {
    const { create, readIds, told, letters } = createWorld(dedupe);
    const handler = create();
    const context = nextContext();
    await handler.start(noStart, context);
    const outcomes = await handler.handle(
      [
        city({ at: 1, id: 'a' }),
        sampleRecord({ at: 2, id: 'b', attributes: { kind: 'user', severity: 'critical' } }),
        city({ at: 3, id: 'a' }),
        sampleRecord({ at: 4, id: 'c', attributes: { kind: 'unheard-of' } }),
      ],
      context,
    );
    expect(outcomes).to.deep.equal(['routed', 'routed', 'duplicate', 'unrouted']);
    expect([readIds('city'), readIds('all')]).to.deep.equal([['a'], ['a', 'b']]);
    expect(told.map(({ id, kind }) => [id, kind])).to.deep.equal([['b', 'event']]);
    const [letter] = letters.values();
    expect(letter).to.deep.include({ reason: 'unroutable', consumer: 'router', sequenceNumber: '4' });
    expect(letter?.data).to.deep.equal(new Uint8Array([1, 2, 3]));
  });

  it('knows an id for the horizon by arrival, wherever the batches end, and an unrouted id not at all', async () => {
    for (const batch of [1, 2, 5]) {
      const handler = createWorld(dedupe).create();
      const context = nextContext();
      const input = [
        city({ at: 1, id: 'a', arrivedAtMs: 0 }),
        city({ at: 2, id: 'a', arrivedAtMs: hourMs - 1 }),
        city({ at: 3, id: 'a', arrivedAtMs: hourMs }),
        city({ at: 4, id: 'b', arrivedAtMs: hourMs, attributes: {} }),
        city({ at: 5, id: 'b', arrivedAtMs: hourMs }),
      ];
      await handler.start(noStart, context);
      const outcomes: string[] = [];
      for (let from = 0; from < input.length; from += batch) {
        outcomes.push(...(await handler.handle(input.slice(from, from + batch), context)));
      }
      const expected = ['routed', 'duplicate', 'routed', 'unrouted', 'routed'];
      expect(outcomes, `batches of ${batch}`).to.deep.equal(expected);
    }
  });

  it('does not take for a repeat what an earlier owner routed beyond the checkpoint', async () => {
    const { create, readIds } = createWorld(dedupe);
    const context = nextContext();
    const first = create();
    await first.start(noStart, context);
    await first.handle([city({ at: 1, id: 'a' })], context);
    const state = await first.flush(at(1), context);
    await first.handle([city({ at: 2, id: 'b' })], context);
    await first.flush(at(2), context); // and dies before the checkpoint

    const second = create();
    await second.start({ ...noStart, checkpoint: at(1), state }, context);
    const outcomes = await second.handle([city({ at: 2, id: 'b' }), city({ at: 3, id: 'a' })], context);
    expect(outcomes).to.deep.equal(['routed', 'duplicate']);
    expect(readIds('city')).to.deep.equal(['a', 'b']);
  });

  it('knows, as a child and as its next owner, what parents and grandparents have routed', async () => {
    const { create } = createWorld(dedupe);
    const [grandparent, parent, child] = [nextContext(), nextContext(), nextContext()];
    const route = async (start: ShardStart, context: typeof child, events: readonly EventRecord[]) => {
      const handler = create();
      await handler.start(start, context);
      const outcomes = await handler.handle(events, context);
      return { outcomes, state: await handler.flush(events.at(-1)!.record.position, context) };
    };
    const oldest = await route(noStart, grandparent, [city({ at: 1, id: 'old' })]);
    const parents = [{ shardId: grandparent.shardId, state: oldest.state }];
    const middle = await route({ ...noStart, parents }, parent, [city({ at: 2, id: 'mid' })]);
    const ofChild = { ...noStart, parents: [{ shardId: parent.shardId, state: middle.state }] };
    const repeats = [city({ at: 3, id: 'old' }), city({ at: 4, id: 'mid' }), city({ at: 5, id: 'new' })];
    const young = await route(ofChild, child, repeats);
    expect(young.outcomes).to.deep.equal(['duplicate', 'duplicate', 'routed']);
    const heir = { ...noStart, checkpoint: at(5), state: young.state };
    const again = await route(heir, child, [city({ at: 6, id: 'old' }), city({ at: 7, id: 'new' })]);
    expect(again.outcomes).to.deep.equal(['duplicate', 'duplicate']);
  });

  const lives = fc.array(
    fc.record({
      calls: fc.integer({ min: 1, max: 10 }),
      takesEffect: fc.boolean(),
      batch: fc.integer({ min: 1, max: 6 }),
      flushEvery: fc.integer({ min: 1, max: 3 }),
      losesCheckpoint: fc.boolean(),
    }),
    { maxLength: 6 },
  );
  const samples = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 30 });

  it('law: wherever it crashes, readers get the first of each id, in order, and verdicts never change', async function () {
    this.timeout(20_000);
    await fc.assert(
      fc.asyncProperty(samples, lives, async (ids, crashes) => {
        const world = createWorld(dedupe);
        const input = ids.map((id, n) => city({ id: `e${id}`, at: n + 1, subject: `key-${id % 3}` }));
        const verdicts = await live(world.create, input, crashes);
        const unique = [...new Set(ids)].map((id) => `e${id}`);
        expect(world.readIds('city')).to.deep.equal(unique);
        expect(world.readIds('all')).to.deep.equal(unique);
        const truth = ids.map((id, n) => (ids.indexOf(id) === n ? 'routed' : 'duplicate'));
        expect(verdicts).to.deep.equal(truth);
      }),
      { numRuns: 60 },
    );
  });

  async function live(
    create: (plan: CrashPlan) => EventHandler,
    input: readonly EventRecord[],
    crashes: readonly {
      calls: number;
      takesEffect: boolean;
      batch: number;
      flushEvery: number;
      losesCheckpoint: boolean;
    }[],
  ): Promise<readonly string[]> {
    const context = nextContext();
    let start: ShardStart = noStart;
    let done = 0;
    const verdicts: string[] = [];
    const last = {
      calls: Number.POSITIVE_INFINITY,
      takesEffect: true,
      batch: 4,
      flushEvery: 2,
      losesCheckpoint: false,
    };
    for (const life of [...crashes, last]) {
      const handler = create({ callsLeft: life.calls, takesEffect: life.takesEffect });
      try {
        await handler.start(start, context);
        for (let from = done, turn = 1; from < input.length; turn += 1) {
          const batch = input.slice(from, from + life.batch);
          const outcomes = await handler.handle(batch, context);
          for (const [index, verdict] of outcomes.entries()) {
            expect(verdicts[from + index] ?? verdict, `verdict of record ${from + index + 1}`).to.equal(
              verdict,
            );
            verdicts[from + index] = verdict;
          }
          from += batch.length;
          if (turn % life.flushEvery !== 0 && from < input.length) continue;
          const state = await handler.flush(at(from), context);
          if (life.losesCheckpoint) break;
          start = { ...noStart, checkpoint: at(from), state };
          done = from;
        }
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
    }
    return verdicts;
  }
});
