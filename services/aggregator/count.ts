import type { EventRecord } from '../../lib/consumer/events.ts';
import type { Event } from '../../lib/event/event.ts';
import { groupOf, type WindowDefinition, windowStartMs } from '../../lib/event/windows-rules.ts';
import { positionKey } from '../../lib/stores/position-key.ts';
import {
  lateBuckets,
  lateSamplesMax,
  type LateTally,
  noneLate,
  type WindowPartial,
} from '../../lib/stores/window-items.ts';

export type Outcome = 'windowed' | 'late' | 'partly-late' | 'unwindowed';

/** What one shard has counted so far, as far as it is at hand. */
export interface Counts {
  /** Largest event time that the shard has shown; undefined while it has shown none. */
  readonly maxTimeMs: number | undefined;
  /** By `slotOf`. Must hold whatever is stored for the slots that a batch touches. */
  readonly partials: ReadonlyMap<string, WindowPartial>;
}

export interface Counted {
  /** One per event, in order. */
  readonly outcomes: readonly Outcome[];
  readonly maxTimeMs: number | undefined;
  /** New values of the partials that changed. */
  readonly changed: ReadonlyMap<string, WindowPartial>;
}

/** Which partial of a shard an event counts in. */
export interface Slot {
  readonly definition: WindowDefinition;
  readonly startMs: number;
  readonly group: string;
}

export function slotName({ definition, startMs, group }: Slot): string {
  return `${definition.name}|${startMs}|${group}`;
}

/** One slot per definition. */
export function slotsOf(event: Event, definitions: readonly WindowDefinition[]): readonly Slot[] {
  return definitions.map((definition) => ({
    definition,
    startMs: windowStartMs(event.timeMs, definition.sizeMs),
    group: groupOf(event, definition.group),
  }));
}

export function emptyPartial({ definition, startMs, group }: Slot, shard: string): WindowPartial {
  return {
    definition: definition.name,
    startMs,
    sizeMs: definition.sizeMs,
    latenessMs: definition.latenessMs,
    group,
    shard,
    count: 0,
    late: noneLate,
    lastPosition: '',
  };
}

/**
 * Counts events in stream order. A record is late for a window when the window's end ≤ the shard's watermark *before*
 * the record; that depends on the shard's data alone, so a replay says the same. A partial that includes the record
 * already (it was written before a crash, the checkpoint was not) stays as it is.
 */
export function countEvents(
  counts: Counts,
  events: readonly EventRecord[],
  definitions: readonly WindowDefinition[],
  shard: string,
): Counted {
  const changed = new Map<string, WindowPartial>();
  let { maxTimeMs } = counts;
  const outcomes = events.map(({ event, record }) => {
    const position = positionKey(record.position);
    const slots = slotsOf(event, definitions);
    let lateIn = 0;
    for (const slot of slots) {
      const behindMs = closedForMs(slot, maxTimeMs);
      if (behindMs !== undefined) lateIn += 1;
      const name = slotName(slot);
      const partial = changed.get(name) ?? counts.partials.get(name) ?? emptyPartial(slot, shard);
      if (position > partial.lastPosition) changed.set(name, include(partial, event.id, position, behindMs));
    }
    maxTimeMs = Math.max(maxTimeMs ?? event.timeMs, event.timeMs);
    return outcomeOf(lateIn, slots.length);
  });
  return { outcomes, maxTimeMs, changed };
}

/** How long the watermark has been past the window's end; undefined: the window is open. */
function closedForMs({ definition, startMs }: Slot, maxTimeMs: number | undefined): number | undefined {
  if (maxTimeMs === undefined) return undefined;
  const behindMs = maxTimeMs - definition.latenessMs - (startMs + definition.sizeMs);
  return behindMs >= 0 ? behindMs : undefined;
}

function include(
  partial: WindowPartial,
  id: string,
  lastPosition: string,
  behindMs: number | undefined,
): WindowPartial {
  return behindMs === undefined
    ? { ...partial, count: partial.count + 1, lastPosition }
    : { ...partial, late: addLate(partial.late, id, behindMs), lastPosition };
}

function addLate(late: LateTally, id: string, behindMs: number): LateTally {
  const found = lateBuckets.findIndex((upToMs) => behindMs < upToMs);
  const bucket = found < 0 ? lateBuckets.length : found;
  return {
    count: late.count + 1,
    by: late.by.map((count, at) => (at === bucket ? count + 1 : count)),
    samples: late.samples.length < lateSamplesMax ? [...late.samples, id] : late.samples,
  };
}

function outcomeOf(lateIn: number, slots: number): Outcome {
  if (slots === 0) return 'unwindowed';
  if (lateIn === 0) return 'windowed';
  return lateIn === slots ? 'late' : 'partly-late';
}
