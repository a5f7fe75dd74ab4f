import { expect } from 'chai';
import { withWorkspace } from '../../scripts/offline/workspace.ts';
import { mirrorOrSkip } from './support/mirror.ts';
import { platformStack } from './support/stack.ts';

describe('the AWS provider', function () {
  this.timeout(60_000);

  it('accepts the stack', async function () {
    const run = await withWorkspace(platformStack(), mirrorOrSkip(this), ({ run }) => run(['validate']));
    expect(run.stdout + run.stderr).to.contain('Success');
  });

  it('refuses the stack when an attribute has a name it does not know', async function () {
    const pluginDir = mirrorOrSkip(this);
    const stack = platformStack();
    const bus = { ...stack.resource.aws_sqs_queue?.bus, visibility_timeout: 30 };
    const broken = { ...stack.resource, aws_sqs_queue: { ...stack.resource.aws_sqs_queue, bus } };
    const run = await withWorkspace({ ...stack, resource: broken }, pluginDir, ({ run }) =>
      run(['validate']),
    );
    expect(run.code).to.equal(1);
    expect(run.stderr).to.contain('visibility_timeout');
  });
});
