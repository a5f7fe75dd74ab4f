import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlatformError } from '../../lib/runtime/errors.ts';

const root = join(import.meta.dirname, '..', '..');

/** The text of the stack, made by what `npm run synth` runs; leaves nothing behind. */
export function synthesise(): string {
  const outdir = mkdtempSync(join(tmpdir(), 'weir-synth-'));
  try {
    const run = spawnSync(process.execPath, ['--import', 'tsx', 'main.ts'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, CDKTF_OUTDIR: outdir },
    });
    if (run.status !== 0)
      throw new PlatformError('synth-failed', `the stack cannot be synthesised:\n${run.stderr}`);
    return readFileSync(join(outdir, 'stacks', 'platform', 'cdk.tf.json'), 'utf8');
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
