import { expect } from 'chai';
import fc from 'fast-check';
import { gunzipSync } from 'node:zlib';
import type { ShardContext, ShardStart } from '../../../lib/consumer/processor.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { verifyArchive } from '../../../lib/stores/archive-verify.ts';
import type { BusMessage } from '../../../lib/stores/bus.ts';
import type { Objects } from '../../../lib/stores/objects.ts';
import { comparePositions, type Position } from '../../../lib/streams/position.ts';
import { createArchiverHandler } from '../../../services/archiver/handler.ts';
import { Crash, type CrashPlan, crashing } from '../../support/crashes.ts';
import { noStart, type Sample, sampleContext, sampleRecord } from '../../support/events.ts';
import { createMemoryObjects, type MemoryObjects } from '../../support/memory-objects.ts';

const at = (n: number): Position => ({ sequenceNumber: String(n), subSequenceNumber: 0 });
const records = (samples: readonly Sample[]) =>
  samples.map((sample, n) => sampleRecord({ id: `e${n + 1}`, ...sample, at: n + 1 }));

function create(objects: Objects, over: Partial<{ rangeBytesMax: number; rangeMsMax: number }> = {}) {
  const told: BusMessage[] = [];
  let nowMs = 0;
  const handler = createArchiverHandler({
    objects,
    bus: { send: async (messages) => void told.push(...messages) },
    clock: { ...systemClock, monotonic: () => nowMs },
    rangeBytesMax: 1_000_000,
    rangeMsMax: 60_000,
    ...over,
  });
  return { handler, told, pass: (ms: number) => (nowMs += ms) };
}

function linesOf(objects: MemoryObjects): readonly Record<string, unknown>[] {
  return [...objects.stored]
    .filter(([key]) => key.startsWith('archive/'))
    .flatMap(([, bytes]) => gunzipSync(bytes).toString().trimEnd().split('\n'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the archiver', () => {
  it('writes each event once, with its three fields and without its stamp, under its type and day of arrival', async () => {
    const objects = createMemoryObjects();
    const { handler, told } = create(objects);
    const arrivedAtMs = Date.parse('2026-11-20T23:59:59Z');
    await handler.start(noStart, sampleContext());
    const outcomes = await handler.handle(
      records([
        { type: 'payment:order:completed', time: '2010-12-01T08:26:00.5Z', arrivedAtMs },
        {
          type: 'a/b c',
          time: 0,
          attributes: { weirstamp: 'x;1;0', city: 'NYC' },
          data: { n: 1 },
          arrivedAtMs,
        },
      ]),
      sampleContext(),
    );
    await handler.flush(at(2), sampleContext());
    expect(outcomes).to.deep.equal(['archived', 'archived']);
    expect([...objects.stored.keys()]).to.have.members([
      'archive/event_type=payment/date=2026-11-20/city-shard-0-1-2.json.gz',
      'archive/event_type=a%2Fb%20c/date=2026-11-20/city-shard-0-1-2.json.gz',
      `manifests/city/shard-0/${'1'.padStart(64, '0')}.0000000000.json`,
    ]);
    const [first, second] = linesOf(objects).toSorted((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1));
    expect(first).to.deep.include({
      id: 'e1',
      created_datetime: '2010-12-01T08:26:00.5Z',
      event_type: 'payment',
      event_subtype: 'order',
    });
    expect(second).to.deep.equal({
      specversion: '1.0',
      id: 'e2',
      source: 'test',
      type: 'a/b c',
      time: '1970-01-01T00:00:00.000Z',
      subject: 'somebody',
      city: 'NYC',
      data: { n: 1 },
      created_datetime: '1970-01-01T00:00:00.000Z',
      event_type: 'a/b c',
      event_subtype: null,
    });
    expect(told.map(({ kind }) => kind)).to.deep.equal(['archived']);
  });

  it('names the partition of a very long type by its hash: a key has an end', async () => {
    const objects = createMemoryObjects();
    const { handler } = create(objects);
    await handler.start(noStart, sampleContext());
    await handler.handle(records([{ type: '日'.repeat(256) }]), sampleContext());
    await handler.flush(at(1), sampleContext());
    const [key] = objects.stored.keys();
    expect(key).to.match(/^archive\/event_type=sha256-[0-9a-f]{64}\//);
  });

  it('asks for a cut when a range is full or has been open for long, not while it is empty', async () => {
    const { handler, pass } = create(createMemoryObjects(), { rangeBytesMax: 500, rangeMsMax: 1_000 });
    await handler.start(noStart, sampleContext());
    pass(5_000);
    expect(handler.wantsCheckpoint?.()).to.equal(false);
    await handler.handle(records([{}]), sampleContext());
    expect(handler.wantsCheckpoint?.()).to.equal(false);
    pass(1_000);
    expect(handler.wantsCheckpoint?.(), 'open for long').to.equal(true);
    await handler.flush(at(1), sampleContext());
    expect(handler.wantsCheckpoint?.()).to.equal(false);
    await handler.handle(records([{ data: 'x'.repeat(500) }]), sampleContext());
    expect(handler.wantsCheckpoint?.(), 'full').to.equal(true);
  });

  it('takes another packing of the same content for the same, and stops the shard at anything else', async () => {
    const objects = createMemoryObjects();
    const flush = async (sample: Sample): Promise<unknown> => {
      const { handler } = create(objects);
      await handler.start(noStart, sampleContext());
      await handler.handle(records([sample]), sampleContext());
      return handler.flush(at(1), sampleContext());
    };
    const state = await flush({ data: 1 });
    expect(await flush({ data: 1 })).to.deep.equal(state);
    const failed = await flush({ data: 2 }).then(
      () => 'written',
      (error: { code?: string }) => error.code,
    );
    expect(failed).to.equal('archive-conflict');
  });

  it('stops the shard when a pending range cannot be repeated as it was', async () => {
    const note = Buffer.from(JSON.stringify([{ upTo: at(2), events: 2, digest: '0'.repeat(32) }]));
    const { handler } = create(createMemoryObjects());
    await handler.start({ ...noStart, pending: { upTo: at(2), note } }, sampleContext());
    await handler.handle(records([{}, {}]), sampleContext());
    const failed = await handler.flush(at(2), sampleContext()).then(
      () => 'written',
      (error: { code?: string }) => error.code,
    );
    expect(failed).to.equal('archive-range-changed');
  });

  it('is as before a batch in which a repeated cut fails', async () => {
    const objects = createMemoryObjects();
    const input = records([{}, {}, {}]);
    const prepared: { upTo: Position; note: Uint8Array }[] = [];
    const dying = create(crashing(objects, { callsLeft: 1, takesEffect: false })).handler;
    const context = sampleContext({
      prepareCheckpoint: async (upTo, note) => void prepared.push({ upTo, note }),
    });
    await dying.start(noStart, context);
    await dying.handle(input.slice(0, 2), context);
    await dying.flush(at(2), context).catch((error: unknown) => error);

    const plan: CrashPlan = { callsLeft: 1, takesEffect: false };
    const { handler } = create(crashing(objects, plan));
    await handler.start({ ...noStart, pending: prepared[0] }, sampleContext());
    const first = await handler
      .handle(input, sampleContext())
      .catch((error: { code?: string }) => error.code);
    expect(first).to.equal('lake-unavailable');
    await handler.handle(input, sampleContext());
    await handler.flush(at(3), sampleContext());
    expect(linesOf(objects).map(({ id }) => id)).to.have.members(['e1', 'e2', 'e3']);
    expect((await verifyArchive(objects)).problems).to.deep.equal([]);
  });

  const lives = fc.array(
    fc.record({
      /** Calls of the lake, the bus and the lease until the crash. */
      calls: fc.integer({ min: 1, max: 14 }),
      takesEffect: fc.boolean(),
      batch: fc.integer({ min: 1, max: 7 }),
      flushEvery: fc.integer({ min: 1, max: 4 }),
    }),
    { maxLength: 8 },
  );
  const samples = fc.array(
    fc.record({
      type: fc.constantFrom('login', 'payment:order', 'x/y'),
      arrivedAtMs: fc.constantFrom(86_399_000, 86_401_000),
    }),
    { minLength: 1, maxLength: 40 },
  );

  it('law: wherever it crashes, every event lies in the archive once and the archive proves it', async function () {
    this.timeout(20_000);
    await fc.assert(
      fc.asyncProperty(samples, lives, async (sample, crashes) => {
        const objects = createMemoryObjects();
        await live(objects, sample, crashes);
        const ids = linesOf(objects).map(({ id }) => id);
        expect(ids).to.have.members(sample.map((_, n) => `e${n + 1}`));
        const report = await verifyArchive(objects);
        expect(report.problems).to.deep.equal([]);
        expect(report.unlisted).to.deep.equal([]);
        expect(report.events).to.equal(sample.length);
      }),
      { numRuns: 100 },
    );
  });

  /** One owner after another; the last lives to the end. The lease is what a table would keep of it. */
  async function live(
    objects: MemoryObjects,
    sample: readonly Sample[],
    crashes: readonly { calls: number; takesEffect: boolean; batch: number; flushEvery: number }[],
  ): Promise<void> {
    const input = records(sample);
    let lease: ShardStart = noStart;
    const last = { calls: Number.POSITIVE_INFINITY, takesEffect: true, batch: 3, flushEvery: 2 };
    for (const { batch, flushEvery, calls, takesEffect } of [...crashes, last]) {
      const plan: CrashPlan = { callsLeft: calls, takesEffect };
      const taken = lease;
      const table = crashing(
        {
          prepare: async (upTo: Position, note: Uint8Array) => {
            lease = { ...lease, pending: { upTo, note } };
          },
          checkpoint: async (checkpoint: Position, state: ShardStart['state']) => {
            lease = { ...noStart, checkpoint, state };
          },
        },
        plan,
      );
      const { handler } = create(crashing(objects, plan));
      const context: ShardContext = sampleContext({ prepareCheckpoint: table.prepare });
      const begin = Number(taken.checkpoint?.sequenceNumber ?? 0);
      try {
        await handler.start(taken, context);
        for (let done = begin, turn = 1; done < input.length; turn += 1) {
          const next = input.slice(done, done + batch);
          await handler.handle(next, context);
          done += next.length;
          const upTo = at(done);
          const isRepeating = taken.pending && comparePositions(upTo, taken.pending.upTo) < 0;
          if (isRepeating || (turn % flushEvery !== 0 && done < input.length)) continue;
          const state = await handler.flush(upTo, context);
          // A checkpoint may fail without the lease being lost: then the owner goes on.
          const written = await table.checkpoint(upTo, state).then(
            () => true,
            (error: unknown) => {
              if (!(error instanceof Crash) || takesEffect) throw error;
              return false;
            },
          );
          if (written) await handler.checkpointed?.(upTo, context);
        }
      } catch (error) {
        const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
        if (!(cause instanceof Crash)) throw error;
      }
    }
  }

  it('verify sees a lost object, a changed one, and a manifest that is gone', async () => {
    const make = async (): Promise<MemoryObjects> => {
      const objects = createMemoryObjects();
      await live(objects, [{}, {}, {}, {}, {}, {}, {}, {}], []);
      return objects;
    };
    const keyOf = (objects: MemoryObjects, prefix: string): string =>
      [...objects.stored.keys()].find((key) => key.startsWith(prefix))!;
    const verdict = async (spoil: (objects: MemoryObjects) => void): Promise<boolean> => {
      const objects = await make();
      spoil(objects);
      return (await verifyArchive(objects)).ok;
    };
    expect(await verdict(() => {})).to.equal(true);
    expect(await verdict((o) => o.stored.delete(keyOf(o, 'archive/')))).to.equal(false);
    expect(await verdict((o) => o.stored.set(keyOf(o, 'archive/'), new Uint8Array([1])))).to.equal(false);
    expect(await verdict((o) => o.stored.delete(keyOf(o, 'manifests/')))).to.equal(false);
  });
});
