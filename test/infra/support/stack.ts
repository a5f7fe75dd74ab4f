import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'cdktf';
import { Platform } from '../../../main.ts';
import type { StackJson } from '../../../scripts/offline/stack.ts';

/** Synthesises the platform as `npm run synth` does, into a temporary folder; gives the text of the stack. */
export function synthesise(): string {
  const outdir = mkdtempSync(join(tmpdir(), 'weir-synth-'));
  try {
    const app = new App({ outdir });
    new Platform(app, 'flow');
    app.synth();
    return readFileSync(join(outdir, 'stacks', 'platform', 'cdk.tf.json'), 'utf8');
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

let cached: StackJson | undefined;

/** The platform's stack; the same value for all tests of a run. */
export function platformStack(): StackJson {
  cached ??= JSON.parse(synthesise()) as StackJson;
  return cached;
}
