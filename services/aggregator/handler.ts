import type { EventHandler, EventRecord } from '../../lib/consumer/events.ts';
import type { ShardContext, ShardStart } from '../../lib/consumer/processor.ts';
import type { WindowDefinition } from '../../lib/event/windows-rules.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { dayOf, type ShardWatermark } from '../../lib/stores/window-items.ts';
import { type BucketKey, bucketName, type WindowPart } from '../../lib/stores/window-parts.ts';
import type { WindowStore } from '../../lib/stores/windows.ts';
import { BucketCache, type CacheLimits, usualCacheLimits } from './bucket-cache.ts';
import { type PartLimits, usualPartLimits } from './bucket-draft.ts';
import { closePassed } from './close-passed.ts';
import { countEvents } from './count.ts';
import { earliest, noneOpen, type OpenWindows, reopen, touch } from './open-windows.ts';
import { savedOf, toState } from './saved.ts';
import { bucketOf, slotsOf } from './slot.ts';

export interface AggregatorOptions {
  readonly definitions: readonly WindowDefinition[];
  readonly windows: WindowStore;
  /** Every shard (`stream/shard`) that aggregators read, closed ones too, as it stands now. */
  readonly listShards: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly clock: Clock;
  /** How long a shard must be caught up and empty before it follows the clock. */
  readonly idleMs: number;
  /** Of memory and items; the usual ones where they are not given. */
  readonly limits?: CacheLimits & PartLimits;
}

/** Least time between two looks at the other shards' watermarks, and two moves of an idle shard's own. */
const lookEveryMs = 2_000;

/**
 * One per acquisition of a shard. Late is decided by the shard's own data, so a replay decides the same; final is
 * decided by all shards' watermarks, which follow the clock where a shard is caught up and empty. Order at a flush:
 * days, parts, watermark, marks, then (by the loop) the checkpoint. So a watermark never claims what is not
 * durable, and a crash between any two of them is repaired by the replay: parts skip what they include.
 */
export function createAggregatorHandler(options: AggregatorOptions): EventHandler {
  return new Aggregator(options);
}

class Aggregator implements EventHandler {
  readonly #options: AggregatorOptions;
  readonly #limits: CacheLimits & PartLimits;
  readonly #cache: BucketCache;
  readonly #knownDays = new Set<string>();
  #maxTimeMs: number | undefined;
  #open: OpenWindows = noneOpen;
  #lateToMs: number | undefined;
  #idleSinceMs: number | undefined;
  #clockMs: number | undefined;
  #ended = false;
  #published: ShardWatermark | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AggregatorOptions) {
    this.#options = options;
    this.#limits = options.limits ?? { ...usualCacheLimits, ...usualPartLimits };
    this.#cache = new BucketCache(this.#limits);
  }

  async start(start: ShardStart, context: ShardContext): Promise<void> {
    const saved = savedOf(start);
    this.#maxTimeMs = saved.maxTimeMs;
    this.#lateToMs = saved.lateToMs;
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
    const shard = shardName(context);
    await this.#load(events, shard, context.signal);
    const counts = { shard, maxTimeMs: this.#maxTimeMs, buckets: this.#cache.buckets };
    const { outcomes, drafts, maxTimeMs, inTime, lateToMs } = countEvents(
      counts,
      events,
      definitions,
      this.#limits,
    );
    this.#cache.change(drafts);
    this.#maxTimeMs = maxTimeMs;
    this.#lateToMs = later(this.#lateToMs, lateToMs);
    this.#open = touch(
      this.#open,
      inTime.map(({ definition, startMs }) => ({ definition: definition.name, startMs })),
    );
    this.#idleSinceMs = undefined;
    this.#clockMs = undefined;
    return outcomes;
  }

  wantsCheckpoint(): boolean {
    return this.#cache.wantsFlush;
  }

  async flush(_upTo: unknown, context: ShardContext): ReturnType<EventHandler['flush']> {
    await this.#saveParts(context);
    await this.#publish(context);
    await this.#closePassed(context);
    return toState({
      maxTimeMs: this.#maxTimeMs,
      openFromMs: earliest(this.#open),
      lateToMs: this.#lateToMs,
    });
  }

  async idle(nowMs: number, context: ShardContext): Promise<void> {
    this.#idleSinceMs ??= nowMs;
    // What is not durable yet must not be overtaken by the clock; the next checkpoint is seconds away.
    if (this.#cache.isDirty) return;
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

  /** Buckets that are not in memory: after a take-over, or let go for want of room. */
  async #load(events: readonly EventRecord[], shard: string, signal: AbortSignal): Promise<void> {
    const missing = new Map<string, BucketKey>();
    for (const { event } of events) {
      for (const slot of slotsOf(event, this.#options.definitions)) {
        const key = bucketOf(slot, shard);
        if (!this.#cache.buckets.has(bucketName(key))) missing.set(bucketName(key), key);
      }
    }
    if (missing.size > 0) this.#cache.add(await this.#options.windows.load([...missing.values()], signal));
  }

  async #saveParts({ fence, signal }: ShardContext): Promise<void> {
    const { clock, windows } = this.#options;
    const dirty = this.#cache.dirty;
    await this.#enterDays(dirty, signal);
    await windows.save(dirty, { fence, nowMs: clock.now() }, signal);
    this.#cache.saved();
  }

  async #enterDays(parts: readonly WindowPart[], signal: AbortSignal): Promise<void> {
    for (const { name } of this.#options.definitions) {
      const days = new Set(
        parts.filter(({ definition }) => definition === name).map(({ bucketMs }) => dayOf(bucketMs)),
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
    const unclosed = { open: this.#open, lateToMs: this.#lateToMs };
    if ((unclosed.open.size === 0 && unclosed.lateToMs === undefined) || !due) return;
    this.#lookedAtMs = nowMs;
    const left = await closePassed(this.#options, unclosed, signal);
    this.#open = left.open;
    this.#lateToMs = left.lateToMs;
  }
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function isSame(a: ShardWatermark, b: ShardWatermark): boolean {
  return a.maxTimeMs === b.maxTimeMs && a.clockMs === b.clockMs && a.ended === b.ended;
}

function shardName({ stream, shardId }: ShardContext): string {
  return `${stream}/${shardId}`;
}
