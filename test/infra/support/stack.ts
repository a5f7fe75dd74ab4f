import type { StackJson } from '../../../scripts/offline/stack.ts';
import { synthesise } from '../../../scripts/offline/synthesise.ts';

let cached: StackJson | undefined;

/** The platform's stack; the same value for all tests of a run. */
export function platformStack(): StackJson {
  cached ??= JSON.parse(synthesise()) as StackJson;
  return cached;
}

/** The same without `prevent_destroy`: `terraform test` removes what it made up, and would be refused. */
export function destroyableStack(): StackJson {
  const text = JSON.stringify(platformStack(), (key: string, value: unknown) =>
    key === 'prevent_destroy' ? undefined : value,
  );
  return JSON.parse(text) as StackJson;
}
