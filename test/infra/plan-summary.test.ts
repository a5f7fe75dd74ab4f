import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { monthlyCost, total } from '../../scripts/plan/cost.ts';
import { streamLoads } from '../../scripts/plan/capacity.ts';
import type { Action, Attributes, PlanJson, ResourceChange } from '../../scripts/plan/plan-json.ts';
import { hoursPerMonth, prices, secondsPerMonth } from '../../scripts/plan/prices.ts';
import { summarise } from '../../scripts/plan/render.ts';
import { parseTraffic, type Traffic } from '../../scripts/plan/traffic.ts';
import { serviceNames } from '../../services/catalogue.ts';

const traffic: Traffic = {
  averagePerSecond: 100,
  peakPerSecond: 900,
  eventBytes: 500,
  routed: { city: 0.5 },
  alerts: 0.1,
  derived: 0.01,
  bus: 0,
  archiveCompression: 0.2,
  logBytesPerEvent: 0,
  scalingLevel: 0.5,
};

function change(
  address: string,
  actions: readonly Action[],
  before: Attributes | null,
  after: Attributes | null,
  more: Partial<ResourceChange['change']> = {},
): ResourceChange {
  const [type = '', rest = ''] = address.split('.');
  return {
    address,
    mode: 'managed',
    type,
    name: rest.replace(/\[.*/, ''),
    change: { actions, before, after, ...more },
  };
}

const planOf = (...changes: readonly ResourceChange[]): PlanJson => ({
  format_version: '1.2',
  terraform_version: '1.11.4',
  resource_changes: changes,
});

const summaryOf = (plan: PlanJson, profile = traffic) => summarise(plan, profile, serviceNames);

const stream = (shards: number) => ({ shard_count: shards, retention_period: 24, stream_mode_details: [{}] });

describe('the plan summary', () => {
  it('says so when nothing changes', () => {
    const { markdown, atRisk } = summaryOf(
      planOf(change('aws_kinesis_stream.inbound', ['no-op'], stream(1), stream(1))),
    );
    expect(markdown).to.contain('Nothing changes.').and.contain('No resource that holds data is destroyed');
    expect(atRisk).to.deep.equal([]);
  });

  for (const [what, actions] of [
    ['destroyed', ['delete']],
    ['replaced', ['delete', 'create']],
    ['replaced, the new one first', ['create', 'delete']],
    ['forgotten', ['forget']],
  ] as const) {
    it(`names a resource that holds data and is ${what}`, () => {
      const plan = planOf(
        change(
          'aws_dynamodb_table.events',
          actions,
          { name: 'a' },
          { name: 'b' },
          { replace_paths: [['name']] },
        ),
      );
      const { markdown, atRisk } = summaryOf(plan);
      expect(atRisk).to.deep.equal(['aws_dynamodb_table.events']);
      expect(markdown).to.contain('Data at risk').and.contain('`aws_dynamodb_table.events` would be lost');
    });
  }

  it('does not cry when a resource without data is replaced', () => {
    const plan = planOf(change('aws_lb_listener.https', ['delete', 'create'], {}, {}));
    expect(summaryOf(plan).atRisk).to.deep.equal([]);
  });

  it('groups changes by service, with the attributes that change', () => {
    const plan = planOf(
      change('aws_ecs_service.event_store', ['update'], { name: 'x', cpu: 1 }, { name: 'x', cpu: 2 }),
    );
    expect(summaryOf(plan).markdown)
      .to.contain('**event-store**: 1 to update')
      .and.contain('aws_ecs_service.event_store`: cpu');
  });

  it('shows the rights that are new, and only those', () => {
    const policy = (...actions: readonly string[]) => ({
      policy: JSON.stringify({ Statement: [{ Effect: 'Allow', Action: actions, Resource: 'arn:x' }] }),
    });
    const plan = planOf(
      change(
        'aws_iam_role_policy.router_work',
        ['update'],
        policy('s3:GetObject'),
        policy('s3:GetObject', 's3:DeleteObject'),
      ),
    );
    const { markdown } = summaryOf(plan);
    expect(markdown).to.contain('s3:DeleteObject on arn:x').and.not.contain('s3:GetObject on');
  });

  it('counts the rights of a new role, and shows those on everything', () => {
    const statements = [
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: 'arn:x' },
      { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
    ];
    const work = { role: 'new', policy: JSON.stringify({ Statement: statements }) };
    const policy = change('aws_iam_role_policy.router_work', ['create'], null, work);
    const role = change('aws_iam_role.router_task', ['create'], null, { name: 'new' });
    expect(summaryOf(planOf(role, policy)).markdown)
      .to.contain('`aws_iam_role_policy.router_work` of a new role: s3 2\n')
      .and.contain('ecr:GetAuthorizationToken on *');
    // On a role that is there already it is a widening, right by right.
    expect(summaryOf(planOf(policy)).markdown).to.contain('s3:PutObject on arn:x');
  });

  it('shows a condition that was dropped as a new right', () => {
    const statement = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: 'arn:k' };
    const plan = planOf(
      change(
        'aws_iam_role_policy.router_key',
        ['update'],
        { policy: JSON.stringify({ Statement: [{ ...statement, Condition: { Bool: { a: 'b' } } }] }) },
        { policy: JSON.stringify({ Statement: [statement] }) },
      ),
    );
    expect(summaryOf(plan).markdown).to.contain('kms:Decrypt on arn:k');
  });

  it('says that a changed policy cannot be read before the apply', () => {
    const plan = planOf(
      change(
        'aws_iam_role_policy.router_key',
        ['update'],
        { policy: '{"Statement":[]}' },
        {},
        { after_unknown: { policy: true } },
      ),
    );
    expect(summaryOf(plan).markdown).to.contain('unknown until the apply');
  });

  it('shows what becomes larger or smaller', () => {
    const plan = planOf(
      change(
        'aws_appautoscaling_target.router',
        ['update'],
        { min_capacity: 1, max_capacity: 4 },
        { min_capacity: 1, max_capacity: 8 },
      ),
      change('aws_kinesis_stream.outbound["city"]', ['update'], stream(2), stream(4)),
    );
    expect(summaryOf(plan).markdown)
      .to.contain('service router max_capacity: 4 → 8')
      .and.contain('stream city shard_count: 2 → 4')
      .and.not.contain('min_capacity');
  });
});

describe('cost and capacity', () => {
  const inbound = { address: 'aws_kinesis_stream.inbound', type: 'aws_kinesis_stream', values: stream(2) };
  const cost = (profile: Traffic) => total(monthlyCost([inbound], profile)).usd;

  it('prices shards by the hour and records by the unit of 25 KB', () => {
    const shards = 2 * prices.kinesis.shardHour * hoursPerMonth;
    const records = (100 * secondsPerMonth * prices.kinesis.millionPutUnits) / 1e6;
    expect(cost(traffic)).to.be.closeTo(shards + records, 1e-9);
  });

  it('changes by the computed amount when traffic doubles', () => {
    const more = cost({ ...traffic, averagePerSecond: 200 }) - cost(traffic);
    expect(more).to.be.closeTo((100 * secondsPerMonth * prices.kinesis.millionPutUnits) / 1e6, 1e-9);
    const printed = summaryOf(planOf(change(inbound.address, ['create'], null, stream(2))), {
      ...traffic,
      averagePerSecond: 200,
    });
    expect(printed.markdown).to.contain(`+$${cost({ ...traffic, averagePerSecond: 200 }).toFixed(2)}`);
  });

  it('leaves unknown what the profile does not say', () => {
    const technical = { ...inbound, address: 'aws_kinesis_stream.outbound["technical"]' };
    expect(total(monthlyCost([technical], traffic)).unknown).to.deep.equal(['stream technical: records in']);
    const [load] = streamLoads([technical], traffic);
    expect(load).to.include({ stream: 'technical', load: undefined, recordsPerSecond: undefined });
  });

  it('fills a shard by bytes or by records, whichever comes first', () => {
    const load = (eventBytes: number) => streamLoads([inbound], { ...traffic, eventBytes })[0]?.load;
    expect(load(100)).to.equal(900 / 2_000);
    expect(load(2_000)).to.equal((900 * 2_000) / 2_000_000);
  });

  it('warns of a stream that is nearly full', () => {
    const plan = planOf(change(inbound.address, ['create'], null, stream(1)));
    expect(summaryOf(plan).markdown).to.contain('| inbound | 1 | 900 | 90 % ⚠ reshard first |');
  });
});

describe('a traffic profile', () => {
  it('of the repository can be read', () => {
    const parsed = parseTraffic(readFileSync('flow/traffic.yaml', 'utf8'), 'flow/traffic.yaml');
    expect(parsed.averagePerSecond).to.be.greaterThan(0);
    expect(Object.keys(parsed.routed)).to.include('city');
  });

  it('that cannot be used is refused with every field', () => {
    expect(() => parseTraffic('events_per_second: { average: -1 }\nalerts: many', 'f.yaml')).to.throw(
      /events_per_second\.average must be a number[\s\S]*peak must be given[\s\S]*alerts must be/,
    );
  });
});
