import type { ShardStart } from '../../lib/consumer/processor.ts';

type State = NonNullable<ShardStart['state']>;

/** What rides with the checkpoint: the shard's largest event time, and from where on windows may not be final. */
export interface Saved {
  readonly maxTimeMs: number | undefined;
  readonly openFromMs: Readonly<Record<string, number>>;
}

export function toState({ maxTimeMs, openFromMs }: Saved): State {
  return { ...(maxTimeMs === undefined ? {} : { max_time: maxTimeMs }), open_from: openFromMs };
}

/**
 * A child that nobody has read begins at the lowest event time that its parents had come to (with none at all if one of
 * them had none), and looks after the windows that they left open.
 */
export function savedOf(start: ShardStart): Saved {
  if (start.state !== undefined) return fromState(start.state);
  const parents = start.parents.map(({ state }) => fromState(state ?? {}));
  const times = parents.map(({ maxTimeMs }) => maxTimeMs ?? Number.NEGATIVE_INFINITY);
  const lowest = Math.min(...times);
  const openFromMs: Record<string, number> = {};
  for (const [name, fromMs] of parents.flatMap((parent) => Object.entries(parent.openFromMs))) {
    openFromMs[name] = Math.min(openFromMs[name] ?? fromMs, fromMs);
  }
  return { maxTimeMs: Number.isFinite(lowest) ? lowest : undefined, openFromMs };
}

function fromState(state: State): Saved {
  const { max_time: maxTime, open_from: openFrom } = state;
  const entries = typeof openFrom === 'object' ? Object.entries(openFrom) : [];
  const numbers = entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return {
    maxTimeMs: typeof maxTime === 'number' ? maxTime : undefined,
    openFromMs: Object.fromEntries(numbers),
  };
}
