import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../lib/runtime/errors.ts';
import type { Place } from '../fleet/cloud.ts';

/** What lifion-worker.ts is started with. */
export interface PeerSettings extends Place {
  /** Where the peer is installed. */
  readonly folder: string;
  readonly usageAtRecords: number;
}

export interface Installed {
  readonly folder: string;
  readonly remove: () => void;
}

const peer = 'lifion-kinesis@1.3.3';
const installMs = 60_000;

/** Into a folder of its own, without running any of its scripts. The reason, where it cannot be had. */
export async function installLifion(): Promise<Installed | string> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-peer-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Also at Ctrl-C, by the handler of main.ts.
  process.once('exit', remove);
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  try {
    await promisify(execFile)('npm', ['install', ...options, '--prefix', folder, peer], {
      timeout: installMs,
    });
    return { folder, remove };
  } catch (error) {
    remove();
    return `${peer}: ${messageOf(error).split('\n')[0]}`;
  }
}
