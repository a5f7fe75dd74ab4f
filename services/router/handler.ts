import type { DeadLetter, DeadLetters } from '../../lib/consumer/dead-letters.ts';
import type { EventHandler, EventRecord } from '../../lib/consumer/events.ts';
import type { ShardContext, ShardStart } from '../../lib/consumer/processor.ts';
import { putOutgoing, settleAll } from '../../lib/consumer/put-outgoing.ts';
import type { Encoder } from '../../lib/event/codec.ts';
import type { RouteRule } from '../../lib/event/routes.ts';
import { assert } from '../../lib/runtime/errors.ts';
import type { Bus } from '../../lib/stores/bus.ts';
import type { DedupeStore, RoutedId } from '../../lib/stores/dedupe.ts';
import { positionOf } from '../../lib/streams/stamp-reader.ts';
import type { StampedWriter } from '../../lib/streams/writer.ts';
import { busMessage } from './bus-message.ts';
import { decide, type Verdict } from './decide.ts';
import { SeenIds } from './seen-ids.ts';

/** A stream that rules name, as one acquisition of an inbound shard writes to it. */
export interface Outlet {
  readonly encode: Encoder;
  readonly open: (source: string, startFloor: bigint) => StampedWriter;
}

export interface RouterOptions {
  readonly rules: readonly RouteRule[];
  /** By the name that flow/routes.yaml uses. */
  readonly outlets: ReadonlyMap<string, Outlet>;
  readonly bus: Bus;
  readonly deadLetters: DeadLetters;
  readonly dedupe: DedupeStore;
  readonly horizonMs: number;
}

/**
 * One per acquisition of an inbound shard. The order that makes repeats exact: copies are acknowledged, then the ids
 * are written (`flush`), then the checkpoint. A crash before the checkpoint replays the batch from the state before
 * it: same verdicts, same stamps, and readers drop the second copies. The bus has no stamps: at least once, with
 * the event id as message attribute.
 */
export function createRouterHandler(options: RouterOptions): EventHandler {
  const writers = new Map<string, StampedWriter>();
  let seen = new SeenIds(options.horizonMs);
  let unwritten: RoutedId[] = [];
  let ancestors: readonly string[] = [];

  return {
    start: async (start, context) => {
      const source = shardName(context);
      const floor = start.checkpoint === undefined ? 0n : positionOf(start.checkpoint);
      for (const [stream, outlet] of options.outlets) writers.set(stream, outlet.open(source, floor));
      const loaded = await loadSeen(options, start, context);
      ({ seen, ancestors } = loaded);
      unwritten = [];
    },
    handle: async (events, context) => {
      const verdicts = decide(events, seen, options.rules);
      await settleAll([
        ...putCopies(options, writers, events, verdicts, context),
        ...tellOthers(options, events, verdicts, context),
      ]);
      const routed = verdicts.flatMap((verdict) => (verdict.type === 'routed' ? verdict.id : []));
      seen.add(routed);
      unwritten.push(...routed);
      return verdicts.map(({ type }) => type);
    },
    flush: async (upTo, context) => {
      if (unwritten.length > 0) {
        await options.dedupe.write({ shard: shardName(context), upTo, ids: unwritten }, context.signal);
        unwritten = [];
      }
      return { ancestors };
    },
  };
}

function putCopies(
  { outlets }: RouterOptions,
  writers: ReadonlyMap<string, StampedWriter>,
  events: readonly EventRecord[],
  verdicts: readonly Verdict[],
  context: ShardContext,
): readonly Promise<void>[] {
  return [...outlets].map(([stream, { encode }]) => {
    const writer = writers.get(stream);
    assert(writer, `The router was not started: it has no writer for stream ${stream}`);
    const copies = events.filter((_, index) => goesTo(verdicts[index], stream));
    const records = copies.map(({ event, record }) => ({
      partitionKey: event.subject,
      position: positionOf(record.position),
      encode: (stamp: string) => encode(event, stamp),
    }));
    return records.length === 0 ? Promise.resolve() : putOutgoing(writer, records, context.signal);
  });
}

function tellOthers(
  { bus, deadLetters }: RouterOptions,
  events: readonly EventRecord[],
  verdicts: readonly Verdict[],
  { signal }: ShardContext,
): readonly Promise<void>[] {
  const messages = events.filter((_, index) => goesTo(verdicts[index], undefined));
  const unrouted = events.filter((_, index) => verdicts[index]?.type === 'unrouted');
  const sent =
    messages.length === 0
      ? []
      : [
          bus.send(
            messages.map(({ event }) => busMessage(event)),
            signal,
          ),
        ];
  const keep = async (): Promise<void> => {
    for (const event of unrouted) await deadLetters.put(letterOf(event), signal);
  };
  return [...sent, keep()];
}

/** `stream` undefined: the bus. */
function goesTo(verdict: Verdict | undefined, stream: string | undefined): boolean {
  if (verdict?.type !== 'routed') return false;
  return verdict.targets.some((target) =>
    target.kind === 'stream' ? target.stream === stream : stream === undefined,
  );
}

function letterOf({ event, record }: EventRecord): DeadLetter {
  return {
    consumer: 'router',
    stream: record.stream,
    shardId: record.shardId,
    sequenceNumber: record.position.sequenceNumber,
    subSequenceNumber: record.position.subSequenceNumber,
    partitionKey: record.partitionKey,
    arrivedAtMs: record.arrivedAtMs,
    data: record.data,
    reason: 'unroutable',
    error: `No rule of flow/routes.yaml matches event ${event.id} of type ${event.type}: add one, then redrive`,
    tries: 1,
  };
}

/** The ids before the checkpoint only: what an earlier owner routed beyond it is routed again by us. */
async function loadSeen(
  { dedupe, horizonMs }: RouterOptions,
  start: ShardStart,
  context: ShardContext,
): Promise<{ readonly seen: SeenIds; readonly ancestors: readonly string[] }> {
  const own = start.checkpoint
    ? await dedupe.load(shardName(context), { upTo: start.checkpoint, horizonMs }, context.signal)
    : [];
  const loaded: { readonly shard: string; readonly ids: readonly RoutedId[] }[] = [];
  for (const shard of ancestorsOf(start, context.stream)) {
    loaded.push({ shard, ids: await dedupe.load(shard, { horizonMs }, context.signal) });
  }
  const ids = [...loaded.flatMap((ancestor) => ancestor.ids), ...own];
  ids.sort((a, b) => a.arrivedAtMs - b.arrivedAtMs);
  const newestMs = ids.at(-1)?.arrivedAtMs ?? 0;
  // An ancestor whose ids are all over the horizon is never asked for again.
  const ancestors = loaded
    .filter((ancestor) => ancestor.ids.some(({ arrivedAtMs }) => newestMs - arrivedAtMs < horizonMs))
    .map(({ shard }) => shard);
  return { seen: new SeenIds(horizonMs, ids), ancestors };
}

/** A child that nobody has read asks its parents; later owners find the answer in the saved state. */
function ancestorsOf(start: ShardStart, stream: string): readonly string[] {
  const saved = textsOf(start.state?.['ancestors']);
  const inherited = start.parents.flatMap(({ shardId, state }) => [
    ...textsOf(state?.['ancestors']),
    `${stream}/${shardId}`,
  ]);
  return [...new Set([...saved, ...inherited])];
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

function shardName({ stream, shardId }: ShardContext): string {
  return `${stream}/${shardId}`;
}
