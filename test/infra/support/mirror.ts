import type { Context } from 'mocha';
import { findPluginDir, offlineProviderVersion } from '../../../scripts/offline/provider.ts';

/** The plugin mirror; without one the test is skipped, and says so. */
export function mirrorOrSkip(test: Context): string {
  const found = findPluginDir(process.env);
  if (found) return found;
  process.stderr.write(
    `    skipped: no mirror of the Terraform AWS provider ${offlineProviderVersion}; name one in TF_PLUGIN_DIR\n`,
  );
  return test.skip();
}
