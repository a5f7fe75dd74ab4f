import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PlatformError } from '../../lib/runtime/errors.ts';

const root = join(import.meta.dirname, '..', '..');
/** By its file: Node would look for the name from where it is started. */
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/**
 * The text of the stack, made by what `npm run synth` runs; leaves nothing behind.
 * @param folder where `flow` is; the project's own unless another is given
 * @throws PlatformError `synth-failed` with what was said
 */
export function synthesise(folder = root): string {
  const outdir = mkdtempSync(join(tmpdir(), 'weir-synth-'));
  try {
    const run = spawnSync(process.execPath, ['--import', tsx, join(root, 'main.ts')], {
      cwd: folder,
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
