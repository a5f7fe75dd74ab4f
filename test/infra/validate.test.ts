import { expect } from 'chai';
import { openWorkspace } from '../../scripts/offline/workspace.ts';
import { mirrorOrSkip } from './support/mirror.ts';
import { platformStack } from './support/stack.ts';

describe('the AWS provider', function () {
  this.timeout(60_000);

  it('accepts the stack', async function () {
    await using workspace = await openWorkspace(platformStack(), mirrorOrSkip(this));
    const run = await workspace.run(['validate']);
    expect(run.stdout + run.stderr).to.contain('Success');
  });

  it('refuses the stack when an attribute has a name it does not know', async function () {
    const pluginDir = mirrorOrSkip(this);
    const stack = platformStack();
    const bus = { ...stack.resource.aws_sqs_queue?.bus, visibility_timeout: 30 };
    const broken = { ...stack.resource, aws_sqs_queue: { ...stack.resource.aws_sqs_queue, bus } };
    await using workspace = await openWorkspace({ ...stack, resource: broken }, pluginDir);
    const run = await workspace.run(['validate']);
    expect(run.code).to.equal(1);
    expect(run.stderr).to.contain('visibility_timeout');
  });
});
