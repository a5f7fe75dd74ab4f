import type { SavedState } from '../leases/saved-state.ts';

/**
 * Saved beside the processor's state: everything that arrived on the shard before this time had been read when
 * the checkpoint was written. With it a trimmed position can be told from trimmed records (read-session.ts).
 */
const key = 'readThroughMs';

export function withReadThrough(state: SavedState, readThroughMs: number | undefined): SavedState {
  return readThroughMs === undefined ? state : { ...state, [key]: readThroughMs };
}

export function readThroughOf(state: SavedState | undefined): number | undefined {
  const value = state?.[key];
  return typeof value === 'number' ? value : undefined;
}

/** The processor's own part. */
export function withoutReadThrough(state: SavedState | undefined): SavedState | undefined {
  if (state === undefined) return undefined;
  const { [key]: _, ...own } = state;
  return own;
}
