import type { ShardStart } from '../../lib/consumer/processor.ts';
import { PlatformError } from '../../lib/runtime/errors.ts';
import { type Position, positionKey } from '../../lib/stores/position-key.ts';

/** Where a range was cut, and what was in it: whoever replays it must find the same. */
export interface Cut {
  readonly upTo: Position;
  readonly events: number;
  readonly digest: string;
}

/** The end of a shard's chain of manifests, saved with the checkpoint. */
export interface Chain {
  readonly number: number;
  readonly upTo: string | null;
  readonly sha256: string | null;
}

export const noChain: Chain = { number: 0, upTo: null, sha256: null };

/**
 * The note of a pending checkpoint: every cut since the checkpoint that was confirmed last, the pending one included. More
 * than one only when a checkpoint itself could not be written in between.
 */
export function formatCuts(cuts: readonly Cut[]): Uint8Array {
  return Buffer.from(JSON.stringify(cuts));
}

/** The cuts that a new owner must repeat: those behind the checkpoint that it starts from. */
export function pendingCuts({ checkpoint, pending }: ShardStart): readonly Cut[] {
  if (pending === undefined) return [];
  const cuts = parse(pending.note);
  return checkpoint === undefined ? cuts : cuts.filter(({ upTo }) => isBefore(checkpoint, upTo));
}

export function isBefore(a: Position, b: Position): boolean {
  return positionKey(a) < positionKey(b);
}

type State = NonNullable<ShardStart['state']>;

export function toState({ number, upTo, sha256 }: Chain): State {
  return { number, ...(upTo === null ? {} : { up_to: upTo }), ...(sha256 === null ? {} : { sha256 }) };
}

/** A child begins a chain of its own. */
export function chainOf(state: State | undefined): Chain {
  const { number, up_to: upTo, sha256 } = state ?? {};
  if (typeof number !== 'number') return noChain;
  return {
    number,
    upTo: typeof upTo === 'string' ? upTo : null,
    sha256: typeof sha256 === 'string' ? sha256 : null,
  };
}

function parse(note: Uint8Array): readonly Cut[] {
  const cuts: unknown = JSON.parse(Buffer.from(note).toString());
  if (!Array.isArray(cuts))
    throw new PlatformError('bad-saved-state', 'The note of a pending range has no cuts');
  return cuts as readonly Cut[];
}
