import type { StackJson } from '../../../scripts/offline/stack.ts';
import { synthesise } from '../../../scripts/offline/synthesise.ts';

let cached: StackJson | undefined;

/** The platform's stack; the same value for all tests of a run. */
export function platformStack(): StackJson {
  cached ??= JSON.parse(synthesise('flow')) as StackJson;
  return cached;
}
