import type { WindowDefinition } from '../../lib/event/windows-rules.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { inFlight } from '../../lib/stores/in-flight.ts';
import type { MarkEntry } from '../../lib/stores/window-marks.ts';
import type { StartRange, WindowStore } from '../../lib/stores/windows.ts';
import { missingMarks, reachedByAll } from './finality.ts';
import { type OpenWindows, passedPart, settle } from './open-windows.ts';

export interface ClosingPorts {
  readonly definitions: readonly WindowDefinition[];
  readonly windows: WindowStore;
  readonly listShards: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly clock: Clock;
}

/** What is not known to be final. */
export interface Unclosed {
  /** Windows with events in time: they need marks. */
  readonly open: OpenWindows;
  /**
   * Where windows with late events only have their ends, lateness added: they need no marks, it is enough to have on
   * record that every shard has passed. Undefined: it is.
   */
  readonly lateToMs: number | undefined;
}

const bucketsInFlightMax = 8;

/**
 * Marks the open windows whose ends every live shard has passed, and gives back what stays open. Any worker may do it for
 * any window: a revision exists once, whoever writes it.
 */
export async function closePassed(
  ports: ClosingPorts,
  { open, lateToMs }: Unclosed,
  signal: AbortSignal,
): Promise<Unclosed> {
  const { shards, passedMs } = await ports.windows.watermarks(signal);
  const reachedMs = reachedByAll(await ports.listShards(signal), shards);
  let left = open;
  for (const { name, sizeMs, latenessMs } of ports.definitions) {
    for (const [day, range] of open.get(name) ?? []) {
      const passed = passedPart(range, sizeMs, reachedMs - latenessMs);
      if (passed === undefined) continue;
      const marked = await markAll(ports, { definition: name, sizeMs, ...passed }, signal);
      if (marked) left = settle(left, name, day, passed.toMs);
    }
  }
  if (lateToMs === undefined || lateToMs <= passedMs) return { open: left, lateToMs: undefined };
  if (reachedMs > passedMs) await ports.windows.savePassed(reachedMs, signal);
  return { open: left, lateToMs: lateToMs <= reachedMs ? undefined : lateToMs };
}

/** False: another worker wrote one of the entries meanwhile, maybe from older counts; the next look compares again. */
async function markAll(ports: ClosingPorts, range: StartRange, signal: AbortSignal): Promise<boolean> {
  // In this order: see missingMarks.
  const entries = await ports.windows.marks(range, signal);
  const parts = await ports.windows.parts(range, signal);
  const added = await inFlight(missingMarks(range, parts, entries), bucketsInFlightMax, (bucket) =>
    addInOrder(ports, bucket, signal),
  );
  return added.every(Boolean);
}

/** Entries are numbered without a gap: where one is not ours, the next is not either. */
async function addInOrder(
  { windows, clock }: ClosingPorts,
  entries: readonly MarkEntry[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const entry of entries) {
    if (!(await windows.addMarks(entry, clock.now(), signal))) return false;
  }
  return true;
}
