import type { WindowDefinition } from '../../lib/event/windows-rules.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { inFlight } from '../../lib/stores/in-flight.ts';
import type { StartRange, WindowStore } from '../../lib/stores/windows.ts';
import { missingMarks, reachedByAll } from './finality.ts';
import { type OpenWindows, passedPart, settle } from './open-windows.ts';

export interface ClosingPorts {
  readonly definitions: readonly WindowDefinition[];
  readonly windows: WindowStore;
  readonly listShards: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly clock: Clock;
}

const marksInFlightMax = 8;

/**
 * Marks the open windows whose ends every live shard has passed, and gives back what stays open. Any worker may do it for
 * any window: a revision exists once, whoever writes it.
 */
export async function closePassed(
  ports: ClosingPorts,
  open: OpenWindows,
  signal: AbortSignal,
): Promise<OpenWindows> {
  const watermarks = await ports.windows.watermarks(signal);
  const reachedMs = reachedByAll(await ports.listShards(signal), watermarks);
  let left = open;
  for (const { name, sizeMs, latenessMs } of ports.definitions) {
    for (const [day, range] of open.get(name) ?? []) {
      const passed = passedPart(range, sizeMs, reachedMs - latenessMs);
      if (passed === undefined) continue;
      const marked = await markAll(ports, { definition: name, day, ...passed }, signal);
      if (marked) left = settle(left, name, day, passed.toMs);
    }
  }
  return left;
}

/** False: another worker wrote one of the marks meanwhile, maybe from older counts; the next look compares again. */
async function markAll(ports: ClosingPorts, range: StartRange, signal: AbortSignal): Promise<boolean> {
  // In this order: see missingMarks.
  const marks = await ports.windows.marks(range, signal);
  const partials = await ports.windows.partials(range, signal);
  const added = await inFlight(missingMarks(partials, marks), marksInFlightMax, (mark) =>
    ports.windows.addMark(mark, ports.clock.now(), signal),
  );
  return added.every(Boolean);
}
