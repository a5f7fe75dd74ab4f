import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesise as writeStack } from '../../main.ts';

/** The text of the stack, as `npm run synth` writes it; leaves nothing behind. */
export function synthesise(flow: string): string {
  const outdir = mkdtempSync(join(tmpdir(), 'weir-synth-'));
  try {
    writeStack(flow, outdir);
    return readFileSync(join(outdir, 'stacks', 'platform', 'cdk.tf.json'), 'utf8');
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
