import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { mirrorOrSkip } from './support/mirror.ts';
import { planOf } from './support/plan.ts';
import { platformStack } from './support/stack.ts';

/** Types whose destruction loses events, accounts or the right to read them. */
const stateful = [
  'aws_kinesis_stream',
  'aws_dynamodb_table',
  'aws_s3_bucket',
  'aws_sqs_queue',
  'aws_kms_key',
  'aws_glue_registry',
  'aws_glue_schema',
  'aws_ecr_repository',
] as const;

const fixture = 'test/infra/stateful-addresses.txt';

describe('addresses', () => {
  it('of what holds data are those that are pinned: a new one would destroy and create', () => {
    const { resource } = platformStack();
    const addresses = stateful
      .flatMap((type) => Object.keys(resource[type] ?? {}).map((name) => `${type}.${name}`))
      .toSorted();
    const pinned = readFileSync(fixture, 'utf8').trim().split('\n');
    expect(
      pinned.filter((address) => !addresses.includes(address)),
      'would be destroyed',
    ).to.deep.equal([]);
    expect(
      addresses.filter((address) => !pinned.includes(address)),
      `add to ${fixture}`,
    ).to.deep.equal([]);
  });

  it('of what holds data do not come from the tree of constructs', () => {
    for (const address of readFileSync(fixture, 'utf8').trim().split('\n')) {
      expect(address).not.to.match(/_[0-9A-F]{8}$/);
    }
  });
});

describe('a real plan from nothing', function () {
  this.timeout(300_000);

  for (const environment of ['dev', 'prod'] as const) {
    it(`of ${environment} only creates`, async function () {
      const { text, plan } = await planOf(environment, mirrorOrSkip(this));
      expect(text).to.match(/^Plan: \d{3} to add, 0 to change, 0 to destroy\.$/m);
      expect(plan.resource_changes?.filter(({ mode }) => mode === 'managed')).to.satisfy(
        (changes: readonly { readonly change: { readonly actions: readonly string[] } }[]) =>
          changes.every(({ change }) => change.actions.join() === 'create'),
      );
    });

    it(`of ${environment} shows every container and every policy of a service whole`, async function () {
      const { plan } = await planOf(environment, mirrorOrSkip(this));
      const hidden = (plan.resource_changes ?? [])
        .filter(
          ({ type, name }) =>
            type === 'aws_ecs_task_definition' || (type === 'aws_iam_role_policy' && name.endsWith('_work')),
        )
        .filter(({ change }) => !change.after?.container_definitions && !change.after?.policy)
        .map(({ address }) => address);
      expect(hidden).to.deep.equal([]);
    });
  }

  it('gives every service the settings that its config.ts declares', async function () {
    const { plan } = await planOf('dev', mirrorOrSkip(this));
    const containers = (plan.resource_changes ?? [])
      .filter(({ type }) => type === 'aws_ecs_task_definition')
      .flatMap(
        ({ change }) => JSON.parse(String(change.after?.container_definitions)) as readonly Container[],
      );
    const router = containers.find(({ name }) => name === 'router');
    expect(router?.image).to.equal('123456789012.dkr.ecr.eu-central-1.amazonaws.com/weir-dev-platform:dev-1');
    const environment = Object.fromEntries(
      (router?.environment ?? []).map(({ name, value }) => [name, value]),
    );
    expect(environment).to.include({ INBOUND_STREAM: 'weir-dev-inbound', DEDUPE_TABLE: 'weir-dev-dedupe' });
    expect(JSON.parse(environment.OUTBOUND_STREAMS ?? '')).to.deep.include({ city: 'weir-dev-city' });
  });
});

interface Container {
  readonly name: string;
  readonly image: string;
  readonly environment: readonly { readonly name: string; readonly value: string }[];
}
