import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** `0.1.0 (f2a91c3)`; without a git checkout only the version. */
export function version(): string {
  const { version: number } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const commit = commitOf(root);
  return commit === undefined ? number : `${number} (${commit})`;
}

function commitOf(folder: string): string | undefined {
  try {
    return execFileSync('git', ['-C', folder, 'rev-parse', '--short', 'HEAD'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .toString()
      .trim();
  } catch (error) {
    // No git, or a folder that was unpacked and not cloned: there is no commit to tell.
    return void error;
  }
}
