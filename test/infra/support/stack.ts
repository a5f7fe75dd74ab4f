import type { StackJson } from '../../../scripts/offline/stack.ts';
import { synthesise } from '../../../scripts/offline/synthesise.ts';

let text: string | undefined;
let stack: StackJson | undefined;

/** What `npm run synth` writes; made once for all tests of a run. */
export function platformText(): string {
  text ??= synthesise();
  return text;
}

/** The same as a value. */
export function platformStack(): StackJson {
  stack ??= JSON.parse(platformText()) as StackJson;
  return stack;
}

/** The same without `prevent_destroy`: `terraform test` removes what it made up, and would be refused. */
export function destroyableStack(): StackJson {
  return JSON.parse(platformText(), (key: string, value: unknown) =>
    key === 'prevent_destroy' ? undefined : value,
  ) as StackJson;
}
