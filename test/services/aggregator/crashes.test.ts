import { expect } from 'chai';
import fc from 'fast-check';
import type { EventHandler, EventRecord } from '../../../lib/consumer/events.ts';
import type { ShardStart } from '../../../lib/consumer/processor.ts';
import type { WindowDefinition } from '../../../lib/event/windows-rules.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { PlatformError } from '../../../lib/runtime/errors.ts';
import { createWindowStore } from '../../../lib/stores/windows.ts';
import { createAggregatorHandler } from '../../../services/aggregator/handler.ts';
import { Crash, type CrashPlan, crashing } from '../../support/crashes.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';
import { noStart, type Sample, sampleContext, sampleRecord } from '../../support/events.ts';

const minute = 60_000;
let names = 0;

interface Life extends CrashPlan {
  readonly batch: number;
  readonly flushEvery: number;
  /** How it ends if it has not crashed before its first flush or checkpoint; 'never': it reads to the end. */
  readonly end: 'loses-checkpoint' | 'pauses-before-flush' | 'never';
  /** When the one that paused before this one flushes after all. */
  readonly zombieWakes: 'before-flush' | 'after-flush';
  /** Counts kept in memory after a flush: few, so that buckets are let go and loaded again. */
  readonly countsKeptMax: number;
}

describe('the aggregator, wherever it crashes', () => {
  let tables: TestTables;
  before(async () => {
    tables = await startTables(['windows']);
  });
  after(() => tables.close());

  const samples: fc.Arbitrary<readonly Sample[]> = fc.array(
    fc.record({
      // Some hours over midnight, several windows in a bucket.
      time: fc.integer({ min: 0, max: 60 }).map((n) => (20 * 60 + n * 7) * minute),
      type: fc.constantFrom('weather', 'traffic', 'incident'),
    }),
    { minLength: 1, maxLength: 60, size: 'max' },
  );
  /** Two counts to a part, so that every bucket of some size has several. */
  const partLimits = { countBytesMax: 100, sampleBytesMax: 6 };
  const lives: fc.Arbitrary<readonly Life[]> = fc.array(
    fc.record({
      /** Calls of the table until the crash. */
      callsLeft: fc.integer({ min: 1, max: 40 }),
      takesEffect: fc.boolean(),
      batch: fc.integer({ min: 1, max: 20 }),
      flushEvery: fc.integer({ min: 1, max: 3 }),
      end: fc.constantFrom('loses-checkpoint', 'pauses-before-flush', 'never'),
      zombieWakes: fc.constantFrom('before-flush', 'after-flush'),
      countsKeptMax: fc.constantFrom(0, 4, 1_000),
    }),
    { maxLength: 6, size: 'max' },
  );

  /** How the last owner lives. */
  const last: Life = {
    callsLeft: Number.POSITIVE_INFINITY,
    takesEffect: true,
    batch: 7,
    flushEvery: 2,
    end: 'never',
    zombieWakes: 'after-flush',
    countsKeptMax: 4,
  };

  it('law: every window has the true counts and every verdict is the same', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(samples, lives, async (sample, crashes) => {
        names += 1;
        const w = { name: `w${names}`, sizeMs: 5 * minute, latenessMs: 10 * minute, group: 'type' };
        const records = sample.map((s, n) => sampleRecord({ ...s, at: n + 1, id: `e${n + 1}` }));
        const verdicts = await live(w, records, crashes);
        const truth = truthOf(w, records);
        expect(verdicts, 'verdicts').to.deep.equal(truth.verdicts);
        const store = createWindowStore({ client: tables.client, table: 'windows', clock: systemClock });
        const { items } = await store.list({ definition: w.name, limit: 1_000 });
        const counted = items.map((row) => [Date.parse(row.start), row.group, row.count, row.late_count]);
        expect(counted, 'windows').to.have.deep.members(truth.windows);
        for (const row of items) {
          expect(row.late_by.reduce((sum, count) => sum + count)).to.equal(row.late_count);
          expect(row.final, `${row.start} is final`).to.equal(true);
        }
      }),
      { numRuns: 25 },
    );
  });

  /** One owner after another reads the shard; the last one lives to the end. Gives the last verdict per record. */
  async function live(
    w: WindowDefinition,
    records: readonly EventRecord[],
    crashes: readonly Life[],
  ): Promise<readonly string[]> {
    let start: ShardStart = noStart;
    let done = 0;
    const verdicts: string[] = [];
    let zombie = async (): Promise<unknown> => undefined;
    for (const [fence, life] of [...crashes, last].entries()) {
      const handler = createHandler(w, life);
      const context = sampleContext({ shardId: w.name, fence });
      try {
        await handler.start(start, context);
        for (let at = done, turn = 1; at < records.length; turn += 1) {
          const batch = records.slice(at, at + life.batch);
          const outcomes = await handler.handle(batch, context);
          for (const [index, outcome] of outcomes.entries()) {
            expect(verdicts[at + index] ?? outcome, `verdict of record ${at + index + 1}`).to.equal(outcome);
            verdicts[at + index] = outcome;
          }
          at += batch.length;
          if (turn % life.flushEvery !== 0 && at < records.length) continue;
          const upTo = batch.at(-1)!.record.position;
          if (life.end === 'pauses-before-flush') {
            zombie = () => handler.flush(upTo, context).catch(onlyFencedOut);
            break;
          }
          if (life.zombieWakes === 'before-flush') await zombie();
          const state = await handler.flush(upTo, context);
          await zombie();
          if (life.end === 'loses-checkpoint') break;
          start = { ...noStart, checkpoint: upTo, state };
          done = at;
        }
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
    }
    await closeAll(w, start, crashes.length + 1);
    return verdicts;
  }

  function onlyFencedOut(error: Error): void {
    const isFencedOut = error instanceof PlatformError && error.code === 'fenced-out';
    if (!isFencedOut && !(error instanceof Crash)) throw error;
  }

  /** One more owner, to whom nothing comes until the clock has passed every window. */
  async function closeAll(w: WindowDefinition, start: ShardStart, fence: number): Promise<void> {
    const handler = createHandler(w, last);
    const context = sampleContext({ shardId: w.name, fence });
    await handler.start(start, context);
    for (const days of [10, 11]) await handler.idle?.(days * 24 * 60 * minute, context);
  }

  function createHandler(w: WindowDefinition, { callsLeft, takesEffect, countsKeptMax }: Life): EventHandler {
    const client = crashing(tables.client, { callsLeft, takesEffect });
    let ms = 0;
    return createAggregatorHandler({
      definitions: [w],
      windows: createWindowStore({ client, table: 'windows', clock: systemClock }),
      listShards: async () => [`city/${w.name}`],
      // No look at the other shards is left out.
      clock: { ...systemClock, monotonic: () => (ms += 10_000) },
      idleMs: minute,
      limits: { ...partLimits, countsKeptMax, countsDirtyMax: 1_000 },
    });
  }

  function truthOf(w: WindowDefinition, records: readonly EventRecord[]) {
    const windowCounts = new Map<string, [number, string, number, number]>();
    let max = Number.NEGATIVE_INFINITY;
    const verdicts = records.map(({ event }) => {
      const start = event.timeMs - (event.timeMs % w.sizeMs);
      const late = start + w.sizeMs <= max - w.latenessMs;
      max = Math.max(max, event.timeMs);
      const key = `${start}/${event.type}`;
      const row = windowCounts.get(key) ?? [start, event.type, 0, 0];
      row[late ? 3 : 2] += 1;
      windowCounts.set(key, row);
      return late ? 'late' : 'windowed';
    });
    return { verdicts, windows: [...windowCounts.values()] };
  }
});
