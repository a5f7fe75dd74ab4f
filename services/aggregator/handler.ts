import type { EventHandler, EventRecord } from '../../lib/consumer/events.ts';
import type { ShardContext, ShardStart } from '../../lib/consumer/processor.ts';
import type { WindowDefinition } from '../../lib/event/windows-rules.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { dayOf, type ShardWatermark, type WindowPartial } from '../../lib/stores/window-items.ts';
import type { WindowStore } from '../../lib/stores/windows.ts';
import { countEvents, emptyPartial, type Slot, slotName, slotsOf } from './count.ts';
import { closePassed } from './close-passed.ts';
import { earliest, noneOpen, type OpenWindows, reopen, touch } from './open-windows.ts';
import { PartialCache } from './partial-cache.ts';
import { savedOf, toState } from './saved.ts';

export interface AggregatorOptions {
  readonly definitions: readonly WindowDefinition[];
  readonly windows: WindowStore;
  /** Every shard (`stream/shard`) that aggregators read, closed ones too, as it stands now. */
  readonly listShards: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly clock: Clock;
  /** How long a shard must be caught up and empty before it follows the clock. */
  readonly idleMs: number;
}

/** Least time between two looks at the other shards' watermarks, and two moves of an idle shard's own. */
const lookEveryMs = 2_000;

/**
 * One per acquisition of a shard. Late is decided by the shard's own data, so a replay decides the same; final is
 * decided by all shards' watermarks, which follow the clock where a shard is caught up and empty. Order at a flush:
 * days, partials, watermark, marks, then (by the loop) the checkpoint. So a watermark never claims what is not
 * durable, and a crash between any two of them is repaired by the replay: partials skip what they include.
 */
export function createAggregatorHandler(options: AggregatorOptions): EventHandler {
  return new Aggregator(options);
}

class Aggregator implements EventHandler {
  readonly #options: AggregatorOptions;
  readonly #cache = new PartialCache();
  readonly #knownDays = new Set<string>();
  #maxTimeMs: number | undefined;
  #open: OpenWindows = noneOpen;
  #idleSinceMs: number | undefined;
  #clockMs: number | undefined;
  #ended = false;
  #published: ShardWatermark | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AggregatorOptions) {
    this.#options = options;
  }

  async start(start: ShardStart, context: ShardContext): Promise<void> {
    const saved = savedOf(start);
    this.#maxTimeMs = saved.maxTimeMs;
    this.#open = noneOpen;
    for (const { name } of this.#options.definitions) {
      const fromMs = saved.openFromMs[name];
      if (fromMs === undefined) continue;
      const days = await this.#options.windows.days(name, dayOf(fromMs), context.signal);
      this.#open = reopen(this.#open, name, fromMs, days);
    }
    // From now on this shard holds windows back, and is seen to.
    await this.#publish(context);
  }

  async handle(events: readonly EventRecord[], context: ShardContext): Promise<readonly string[]> {
    const { definitions } = this.#options;
    const slots = new Map<string, Slot>();
    for (const { event } of events) {
      for (const slot of slotsOf(event, definitions)) slots.set(slotName(slot), slot);
    }
    const shard = shardName(context);
    await this.#load(slots, shard, context.signal);
    const counts = { maxTimeMs: this.#maxTimeMs, partials: this.#cache.partials };
    const { outcomes, changed, maxTimeMs } = countEvents(counts, events, definitions, shard);
    this.#cache.change(changed);
    this.#maxTimeMs = maxTimeMs;
    this.#open = touch(
      this.#open,
      [...slots.values()].map(({ definition, startMs }) => ({ definition: definition.name, startMs })),
    );
    this.#idleSinceMs = undefined;
    this.#clockMs = undefined;
    return outcomes;
  }

  async flush(_upTo: unknown, context: ShardContext): ReturnType<EventHandler['flush']> {
    await this.#savePartials(context);
    await this.#publish(context);
    await this.#closePassed(context);
    return toState({ maxTimeMs: this.#maxTimeMs, openFromMs: earliest(this.#open) });
  }

  async idle(nowMs: number, context: ShardContext): Promise<void> {
    this.#idleSinceMs ??= nowMs;
    // What is not durable yet must not be overtaken by the clock; the next checkpoint is seconds away.
    if (this.#cache.dirty.length > 0) return;
    const movedMs = nowMs - (this.#clockMs ?? Number.NEGATIVE_INFINITY);
    if (nowMs - this.#idleSinceMs >= this.#options.idleMs && movedMs >= lookEveryMs) {
      this.#clockMs = nowMs;
      await this.#publish(context);
    }
    await this.#closePassed(context);
  }

  async shardEnd(context: ShardContext): Promise<void> {
    this.#ended = true;
    await this.#publish(context);
  }

  /** Slots that are stored but not in memory: after a take-over, or let go for want of room. */
  async #load(slots: ReadonlyMap<string, Slot>, shard: string, signal: AbortSignal): Promise<void> {
    const missing = [...slots].filter(([name]) => !this.#cache.partials.has(name));
    if (missing.length === 0) return;
    const keys = missing.map(([, slot]) => emptyPartial(slot, shard));
    const stored = await this.#options.windows.load(keys, signal);
    this.#cache.add([...keys, ...stored]);
  }

  async #savePartials({ fence, signal }: ShardContext): Promise<void> {
    const { clock, windows } = this.#options;
    const dirty = this.#cache.dirty;
    await this.#enterDays(dirty, signal);
    const standing = await windows.save(dirty, { fence, nowMs: clock.now() }, signal);
    this.#cache.saved(standing);
  }

  async #enterDays(partials: readonly WindowPartial[], signal: AbortSignal): Promise<void> {
    for (const { name } of this.#options.definitions) {
      const days = new Set(
        partials.filter(({ definition }) => definition === name).map(({ startMs }) => dayOf(startMs)),
      );
      const fresh = [...days].filter((day) => !this.#knownDays.has(`${name}#${day}`));
      if (fresh.length === 0) continue;
      await this.#options.windows.addDays(name, fresh, signal);
      for (const day of fresh) this.#knownDays.add(`${name}#${day}`);
    }
  }

  async #publish(context: ShardContext): Promise<void> {
    const watermark: ShardWatermark = {
      shard: shardName(context),
      ...(this.#maxTimeMs === undefined ? {} : { maxTimeMs: this.#maxTimeMs }),
      ...(this.#clockMs === undefined ? {} : { clockMs: this.#clockMs }),
      ended: this.#ended,
      updatedAtMs: this.#options.clock.now(),
    };
    if (this.#published && isSame(this.#published, watermark)) return;
    await this.#options.windows.saveWatermark(watermark, context.fence, context.signal);
    this.#published = watermark;
  }

  async #closePassed({ signal }: ShardContext): Promise<void> {
    const nowMs = this.#options.clock.monotonic();
    const due = this.#ended || nowMs - this.#lookedAtMs >= lookEveryMs;
    if (this.#open.size === 0 || !due) return;
    this.#lookedAtMs = nowMs;
    this.#open = await closePassed(this.#options, this.#open, signal);
  }
}

function isSame(a: ShardWatermark, b: ShardWatermark): boolean {
  return a.maxTimeMs === b.maxTimeMs && a.clockMs === b.clockMs && a.ended === b.ended;
}

function shardName({ stream, shardId }: ShardContext): string {
  return `${stream}/${shardId}`;
}
