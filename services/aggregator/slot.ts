import type { Event } from '../../lib/event/event.ts';
import { groupOf, type WindowDefinition, windowStartMs } from '../../lib/event/windows-rules.ts';
import { type BucketKey, bucketStartMs } from '../../lib/stores/window-parts.ts';

/** Where an event counts: a window and a group in it. */
export interface Slot {
  readonly definition: WindowDefinition;
  readonly startMs: number;
  readonly group: string;
}

/** One slot per definition. */
export function slotsOf(event: Event, definitions: readonly WindowDefinition[]): readonly Slot[] {
  return definitions.map((definition) => ({
    definition,
    startMs: windowStartMs(event.timeMs, definition.sizeMs),
    group: groupOf(event, definition.group),
  }));
}

export function bucketOf({ definition, startMs }: Slot, shard: string): BucketKey {
  return { definition: definition.name, bucketMs: bucketStartMs(startMs, definition.sizeMs), shard };
}
