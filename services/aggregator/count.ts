import type { EventRecord } from '../../lib/consumer/events.ts';
import type { WindowDefinition } from '../../lib/event/windows-rules.ts';
import { positionKey } from '../../lib/stores/position-key.ts';
import { bucketName, type WindowPart } from '../../lib/stores/window-parts.ts';
import { BucketDraft, type PartLimits } from './bucket-draft.ts';
import { bucketOf, type Slot, slotsOf } from './slot.ts';

export type Outcome = 'windowed' | 'late' | 'partly-late' | 'unwindowed';

/** What one shard has counted so far, as far as it is at hand. */
export interface Counts {
  readonly shard: string;
  /** Largest event time that the shard has shown; undefined while it has shown none. */
  readonly maxTimeMs: number | undefined;
  /** By `bucketName`. Must hold all that is stored of the buckets that a batch touches. */
  readonly buckets: ReadonlyMap<string, readonly WindowPart[]>;
}

export interface Counted {
  /** One per event, in order. */
  readonly outcomes: readonly Outcome[];
  readonly maxTimeMs: number | undefined;
  /** By `bucketName`, those that the batch touches. */
  readonly drafts: ReadonlyMap<string, BucketDraft>;
  /** Windows that had an event in time, each once. */
  readonly inTime: readonly Slot[];
  /** Every live shard must come so far for all windows that had a late event to be final; undefined: none was late. */
  readonly lateToMs: number | undefined;
}

/**
 * Counts events in stream order. A record is late for a window when the window's end ≤ the shard's watermark *before*
 * the record; that depends on the shard's data alone, so a replay says the same.
 */
export function countEvents(
  { shard, maxTimeMs: startMaxMs, buckets }: Counts,
  events: readonly EventRecord[],
  definitions: readonly WindowDefinition[],
  limits: PartLimits,
): Counted {
  const drafts = new Map<string, BucketDraft>();
  const inTime = new Map<string, Slot>();
  let [maxTimeMs, lateToMs] = [startMaxMs, undefined as number | undefined];
  const outcomes = events.map(({ event, record }) => {
    const position = positionKey(record.position);
    const slots = slotsOf(event, definitions);
    let lateIn = 0;
    for (const slot of slots) {
      const behindMs = closedForMs(slot, maxTimeMs);
      if (behindMs === undefined) inTime.set(`${slot.definition.name}|${slot.startMs}`, slot);
      else {
        lateIn += 1;
        lateToMs = Math.max(lateToMs ?? passedAtMs(slot), passedAtMs(slot));
      }
      const key = bucketOf(slot, shard);
      const name = bucketName(key);
      const draft = drafts.get(name) ?? new BucketDraft(key, buckets.get(name) ?? [], limits);
      drafts.set(name, draft);
      draft.include(slot, { id: event.id, position, behindMs });
    }
    maxTimeMs = Math.max(maxTimeMs ?? event.timeMs, event.timeMs);
    return outcomeOf(lateIn, slots.length);
  });
  return { outcomes, maxTimeMs, drafts, inTime: [...inTime.values()], lateToMs };
}

/** The event time at which the window closes. */
function passedAtMs({ definition, startMs }: Slot): number {
  return startMs + definition.sizeMs + definition.latenessMs;
}

/** How long the watermark has been past the window's end; undefined: the window is open. */
function closedForMs(slot: Slot, maxTimeMs: number | undefined): number | undefined {
  if (maxTimeMs === undefined) return undefined;
  const behindMs = maxTimeMs - passedAtMs(slot);
  return behindMs >= 0 ? behindMs : undefined;
}

function outcomeOf(lateIn: number, slots: number): Outcome {
  if (slots === 0) return 'unwindowed';
  if (lateIn === 0) return 'windowed';
  return lateIn === slots ? 'late' : 'partly-late';
}
