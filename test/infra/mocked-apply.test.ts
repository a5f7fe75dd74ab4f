import { expect } from 'chai';
import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { withWorkspace } from '../../scripts/offline/workspace.ts';
import { mirrorOrSkip } from './support/mirror.ts';
import { destroyableStack } from './support/stack.ts';

describe('terraform test', function () {
  this.timeout(300_000);

  it('applies the whole stack with made-up resources, with each option on and off', async function () {
    const run = await withWorkspace(destroyableStack(), mirrorOrSkip(this), async (workspace) => {
      await copyFile('test/infra/platform.tftest.hcl', join(workspace.folder, 'platform.tftest.hcl'));
      return workspace.run(['test', `-var-file=${resolve('envs/prod.tfvars')}`]);
    });
    expect(run.stderr).to.equal('');
    expect(run.stdout).to.contain('Success! 2 passed, 0 failed.');
  });
});
