import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The release of the AWS provider that offline checks use; deployments use the one that the stack declares. */
export const offlineProviderVersion = '5.100.0';

/**
 * The folder of a Terraform plugin mirror that holds that release for this machine: TF_PLUGIN_DIR, else one of the
 * places where Terraform itself would look, or where images keep it. Undefined when there is none.
 */
export function findPluginDir(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const given = env.TF_PLUGIN_DIR;
  const roots = given
    ? [given]
    : [
        join(homedir(), '.terraform.d', 'plugins'),
        '/usr/local/share/terraform/plugins',
        '/usr/share/terraform/plugins',
        '/opt/tf-plugins',
      ];
  return roots.find((root) => existsSync(join(root, providerPath())));
}

function providerPath(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const machine = process.arch === 'x64' ? 'amd64' : process.arch;
  return join('registry.terraform.io', 'hashicorp', 'aws', offlineProviderVersion, `${system}_${machine}`);
}
