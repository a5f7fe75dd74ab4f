import { expect } from 'chai';
import type { DeadLetter } from '../../../lib/consumer/dead-letters.ts';
import { eventProcessor } from '../../../lib/consumer/event-processor.ts';
import type { EventHandler, EventRecord, LedgerEntry } from '../../../lib/consumer/events.ts';
import type { ShardContext, ShardStart, StreamRecord } from '../../../lib/consumer/processor.ts';
import { TallyBook } from '../../../lib/consumer/tally.ts';
import type { Event } from '../../../lib/event/event.ts';
import type { SavedState } from '../../../lib/leases/saved-state.ts';
import { BrokenInvariant, PlatformError } from '../../../lib/runtime/errors.ts';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';
import { formatStamp } from '../../../lib/streams/stamp.ts';

const shardId = 'shardId-000000000003';
const fresh: ShardStart = { checkpoint: undefined, state: undefined, parents: [], pending: undefined };
const context: ShardContext = {
  stream: 's',
  shardId,
  fence: 4,
  signal: new AbortController().signal,
  verify: async () => {},
  prepareCheckpoint: async () => {},
};

interface Wire {
  readonly id: string;
  readonly stamp?: string;
}

function record(sequence: number, wire: Wire | string, arrivedAtMs = 1_000): StreamRecord {
  const data = new TextEncoder().encode(typeof wire === 'string' ? wire : JSON.stringify(wire));
  const position = { sequenceNumber: String(sequence), subSequenceNumber: 0 };
  return { stream: 's', shardId, position, partitionKey: 'p', data, arrivedAtMs };
}

function decode(data: Uint8Array): Event {
  const text = new TextDecoder().decode(data);
  if (!text.startsWith('{')) throw new PlatformError('undecodable', `"${text}" is no event`);
  const { id, stamp } = JSON.parse(text) as Wire;
  const attributes: Record<string, string> = stamp === undefined ? {} : { weirstamp: stamp };
  return { id, source: 'x', type: 't', time: '', timeMs: 0, subject: 'p', attributes, data: null };
}

function stamped(id: string, position: number, after?: number): Wire {
  const before = after === undefined ? {} : { after: BigInt(after) };
  return { id, stamp: formatStamp({ source: 'w', position: BigInt(position), floor: 0n, ...before }) };
}

function setup(handle: EventHandler['handle'] = async (events) => events.map(() => 'done')) {
  const clock = createManualClock({ startMs: Date.parse('2026-11-20T10:30:00Z') });
  const handled: string[] = [];
  const letters: DeadLetter[] = [];
  const entries: LedgerEntry[] = [];
  const starts: ShardStart[] = [];
  const handler: EventHandler = {
    start: async (start) => void starts.push(start),
    handle: async (events: readonly EventRecord[], given) => {
      const outcomes = await handle(events, given);
      handled.push(...events.map(({ event }) => event.id));
      return outcomes;
    },
    flush: async () => ({ handled: handled.length }),
  };
  const ports = {
    consumer: 'tests',
    handler,
    decode,
    clock,
    deadLetters: { put: async (letter: DeadLetter) => void letters.push(letter) },
    ledger: { put: async (entry: LedgerEntry) => void entries.push(entry) },
    deadLettersInRowMax: 3,
  };
  return { processor: eventProcessor(ports), ports, clock, handled, letters, entries, starts };
}

function tally(outcome: string, ...ids: readonly string[]) {
  const book = new TallyBook();
  for (const id of ids) book.add(outcome, id);
  return book.save();
}

const upTo = { sequenceNumber: '9', subSequenceNumber: 0 };

describe('the frame around an event handler', () => {
  it('counts each event under the outcome that the handler gave it, and saves that with the checkpoint', async () => {
    const { processor } = setup(async (events) =>
      events.map(({ event }) => (event.id === 'b' ? 'odd' : 'even')),
    );
    await processor.start(fresh, context);
    await processor.process([record(1, { id: 'a' }), record(2, { id: 'b' })], context);
    await processor.process([record(3, { id: 'c' })], context);
    const state = await processor.flush(upTo, context);
    expect(state['tally']).to.deep.equal({ ...tally('even', 'a', 'c'), ...tally('odd', 'b') });
    expect(state['handler']).to.deep.equal({ handled: 3 });
  });

  it('drops what its stamp proves to be a repeat: within a batch, across batches and across owners', async () => {
    const first = setup();
    await first.processor.start(fresh, context);
    await first.processor.process([record(1, stamped('a', 1)), record(2, stamped('a', 1))], context);
    await first.processor.process([record(3, stamped('b', 2)), record(4, stamped('a', 1))], context);
    expect(first.handled).to.deep.equal(['a', 'b']);
    const state = await first.processor.flush(upTo, context);
    expect(state['tally']).to.deep.equal({ ...tally('done', 'a', 'b'), ...tally('repeat', 'a', 'a') });
    const second = setup();
    await second.processor.start({ ...fresh, checkpoint: upTo, state }, context);
    expect(second.starts[0]?.state).to.deep.equal({ handled: 2 });
    await second.processor.process([record(10, stamped('b', 2)), record(11, stamped('c', 3))], context);
    expect(second.handled).to.deep.equal(['c']);
  });

  it('drops what lies before the record it should follow, and counts it as early, not as handled', async () => {
    const { handled, processor } = setup();
    await processor.start(fresh, context);
    await processor.process([record(1, stamped('a', 1))], context);
    const laterMs = 20_000;
    const batch = [stamped('c', 3, 2), stamped('b', 2), stamped('c', 3, 2), stamped('c', 3)];
    await processor.process(
      batch.map((wire, index) => record(index + 2, wire, laterMs)),
      context,
    );
    expect(handled).to.deep.equal(['a', 'b', 'c']);
    expect((await processor.flush(upTo, context))['tally']).to.deep.equal({
      ...tally('done', 'a', 'b', 'c'),
      ...tally('early', 'c'),
      ...tally('repeat', 'c'),
    });
  });

  it('takes nothing for early where it may have missed the record before', async () => {
    const { handled, processor } = setup();
    await processor.start(fresh, context);
    await processor.process([record(1, stamped('a', 2, 1))], context);
    await processor.process([record(2, 'rubbish', 50_000), record(3, stamped('b', 4, 3), 50_001)], context);
    await processor.process([record(4, stamped('c', 6, 5), 70_000)], context);
    expect(handled).to.deep.equal(['a', 'b']);
    const state = await processor.flush(upTo, context);
    for (const start of [
      { ...fresh, checkpoint: upTo },
      {
        ...fresh,
        parents: [
          { shardId: 'p1', state },
          { shardId: 'p2', state: undefined },
        ],
      },
    ]) {
      const next = setup();
      await next.processor.start(start, context);
      await next.processor.process([record(10, stamped('d', 8, 7), 90_000)], context);
      expect(next.handled).to.deep.equal(['d']);
    }
    const child = setup();
    await child.processor.start({ ...fresh, parents: [{ shardId: 'p1', state }] }, context);
    await child.processor.process([record(10, stamped('d', 8, 7), 90_000)], context);
    expect(child.handled).to.deep.equal([]);
  });

  it('lets a child know what its parents have seen, and counts anew there', async () => {
    const states: SavedState[] = [];
    for (const [id, position] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      const parent = setup();
      await parent.processor.start(fresh, context);
      await parent.processor.process([record(1, stamped(id, position))], context);
      states.push(await parent.processor.flush(upTo, context));
    }
    const child = setup();
    const parents = states.map((state, index) => ({ shardId: `parent-${index}`, state }));
    await child.processor.start({ ...fresh, parents }, context);
    expect(child.starts[0]?.parents.map(({ state }) => state)).to.deep.equal([
      { handled: 1 },
      { handled: 1 },
    ]);
    await child.processor.process(
      [1, 2, 3].map((n) => record(n, stamped(`abc`[n - 1]!, n))),
      context,
    );
    expect(child.handled).to.deep.equal(['c']);
    const state = await child.processor.flush(upTo, context);
    expect(state['tally']).to.deep.equal({ ...tally('done', 'c'), ...tally('repeat', 'a', 'b') });
  });

  it('is as before the batch when the handler throws', async () => {
    let broken = true;
    const { handled, processor } = setup(async (events) => {
      if (broken) throw new Error('no');
      return events.map(() => 'done');
    });
    await processor.start(fresh, context);
    const batch = [record(1, stamped('a', 1)), record(2, stamped('a', 1))];
    const failed = await processor.process(batch, context).then(
      () => 'handled',
      () => 'thrown',
    );
    expect(failed).to.equal('thrown');
    expect((await processor.flush(upTo, context))['tally']).to.deep.equal({});
    broken = false;
    await processor.process(batch, context);
    expect(handled).to.deep.equal(['a']);
  });

  it('sets undecodable records aside with their bytes; other failures of decoding are thrown', async () => {
    const { handled, letters, ports, processor } = setup();
    await processor.start(fresh, context);
    await processor.process([record(1, 'rubbish'), record(2, { id: 'a' })], context);
    expect(handled).to.deep.equal(['a']);
    expect(letters).to.have.length(1);
    expect(letters[0]).to.deep.include({ consumer: 'tests', reason: 'undecodable', sequenceNumber: '1' });
    expect(new TextDecoder().decode(letters[0]?.data)).to.equal('rubbish');
    const state = await processor.flush(upTo, context);
    expect(state['tally']).to.deep.equal({
      ...tally('done', 'a'),
      ...tally('dead-lettered', `s/${shardId}/1/0`),
    });
    const down = eventProcessor({ ...ports, decode: () => Promise.reject(new Error('registry is down')) });
    await down.start(fresh, context);
    const thrown = await down
      .process([record(1, { id: 'a' })], context)
      .catch((error: Error) => error.message);
    expect(thrown).to.equal('registry is down');
  });

  it('stops the shard when too many undecodable records come in a row', async () => {
    const { letters, processor } = setup();
    await processor.start(fresh, context);
    const rubbish = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => record(from + index, 'rubbish'));
    await processor.process([...rubbish(1, 3), record(4, { id: 'a' }), ...rubbish(5, 2)], context);
    const code = await processor.process(rubbish(7, 2), context).catch((error: PlatformError) => error.code);
    expect(code).to.equal('dead-letter-limit');
    expect(letters).to.have.length(5);
  });

  it('accounts for a record that the loop set aside after the handler failed', async () => {
    const { handled, processor } = setup();
    await processor.start(fresh, context);
    await processor.deadLettered?.(record(1, stamped('a', 1)), context);
    await processor.process([record(2, stamped('a', 1)), record(3, stamped('b', 2))], context);
    expect(handled).to.deep.equal(['b']);
    const state = await processor.flush(upTo, context);
    expect(state['tally']).to.deep.include(tally('dead-lettered', 'a'));
  });

  it('refuses a handler that does not give one outcome per event', async () => {
    const { processor } = setup(async () => ['done']);
    await processor.start(fresh, context);
    const thrown = await processor
      .process([record(1, { id: 'a' }), record(2, { id: 'b' })], context)
      .catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(BrokenInvariant);
  });

  it('enters the ledger once an hour after a checkpoint, and before SHARD_END', async () => {
    const { clock, entries, processor } = setup();
    await processor.start(fresh, context);
    const checkpoint = async () => {
      await processor.flush(upTo, context);
      await processor.checkpointed?.(upTo, context);
    };
    await processor.process([record(1, { id: 'a' })], context);
    await checkpoint();
    expect(entries).to.deep.equal([]);
    await clock.advance(31 * 60_000);
    await checkpoint();
    await checkpoint();
    expect(entries).to.have.length(1);
    const about = { consumer: 'tests', stream: 's', shardId, fence: 4 };
    expect(entries[0]).to.deep.equal({ ...about, upTo, tally: tally('done', 'a'), atMs: clock.now() });
    await processor.shardEnd?.(context);
    await processor.flush(upTo, context);
    expect(entries[1]).to.deep.equal({
      ...about,
      upTo: 'SHARD_END',
      tally: tally('done', 'a'),
      atMs: clock.now(),
    });
  });
});
