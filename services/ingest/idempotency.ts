import { createHash } from 'node:crypto';
import type { IdempotencyItem } from '../../lib/stores/idempotency.ts';

/** How long an answer is kept: a client that retries a day later still gets the same one. */
export const keptForMs = 24 * 3_600_000;
/** A request that has not answered after this long is taken to have died with its process. */
export const inFlightMs = 15_000;
export const maxKeyLength = 255;

/** One key per path and body: the same key with another body is a mistake of the client. */
export function fingerprintOf(path: string, body: Uint8Array): string {
  return createHash('sha256').update(path).update('\n').update(body).digest('hex');
}

export type Verdict =
  | { readonly type: 'go' }
  | { readonly type: 'replay'; readonly status: number; readonly body: string }
  | { readonly type: 'busy'; readonly retryAfterMs: number }
  | { readonly type: 'other-body' };

/** Decides what to do with a request whose key has `found` (undefined: the key is now ours). */
export function judgeKey(found: IdempotencyItem | undefined, fingerprint: string, nowMs: number): Verdict {
  if (found === undefined) return { type: 'go' };
  if (found.fingerprint !== fingerprint) return { type: 'other-body' };
  if (found.answer) return { type: 'replay', ...found.answer };
  return { type: 'busy', retryAfterMs: Math.max(0, found.untilMs - nowMs) };
}
