import type { ShardStart } from '../../lib/consumer/processor.ts';

type State = NonNullable<ShardStart['state']>;

/** What rides with the checkpoint. */
export interface Saved {
  /** The shard's largest event time. */
  readonly maxTimeMs: number | undefined;
  /** From where on windows may not be final, per definition. */
  readonly openFromMs: Readonly<Record<string, number>>;
  /** How far all shards must come before windows that had late events are final, if that is not on record yet. */
  readonly lateToMs: number | undefined;
}

export function toState({ maxTimeMs, openFromMs, lateToMs }: Saved): State {
  return {
    ...(maxTimeMs === undefined ? {} : { max_time: maxTimeMs }),
    open_from: openFromMs,
    ...(lateToMs === undefined ? {} : { late_to: lateToMs }),
  };
}

/**
 * A child that nobody has read begins at the lowest event time that its parents had come to (with none at all if one of
 * them had none), and looks after the windows that they left open.
 */
export function savedOf(start: ShardStart): Saved {
  if (start.state !== undefined) return fromState(start.state);
  const parents = start.parents.map(({ state }) => fromState(state ?? {}));
  const times = parents.map(({ maxTimeMs }) => maxTimeMs ?? Number.NEGATIVE_INFINITY);
  const openFromMs: Record<string, number> = {};
  for (const [name, fromMs] of parents.flatMap((parent) => Object.entries(parent.openFromMs))) {
    openFromMs[name] = Math.min(openFromMs[name] ?? fromMs, fromMs);
  }
  return {
    maxTimeMs: finite(Math.min(...times)),
    openFromMs,
    lateToMs: finite(Math.max(...parents.flatMap(({ lateToMs }) => lateToMs ?? []))),
  };
}

function finite(timeMs: number): number | undefined {
  return Number.isFinite(timeMs) ? timeMs : undefined;
}

function fromState(state: State): Saved {
  const { max_time: maxTime, open_from: openFrom, late_to: lateTo } = state;
  const entries = typeof openFrom === 'object' ? Object.entries(openFrom) : [];
  const numbers = entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return {
    maxTimeMs: typeof maxTime === 'number' ? maxTime : undefined,
    openFromMs: Object.fromEntries(numbers),
    lateToMs: typeof lateTo === 'number' ? lateTo : undefined,
  };
}
