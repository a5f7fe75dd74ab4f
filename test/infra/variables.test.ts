import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { planVariables, terraformOrSkip } from './support/variables.ts';
import { platformStack } from './support/stack.ts';

const base = ['terraform.tfvars.example'];

/** Terraform draws a box around its messages and breaks their lines. */
const flat = (text: string): string => text.replaceAll(/[│╷╵]/g, ' ').replaceAll(/\s+/g, ' ');

const service = (
  change: Readonly<Record<string, unknown>>,
  of = 'router',
): Readonly<Record<string, unknown>> => {
  const size = { cpu: 256, memory: 512, min_count: 1, max_count: 1 };
  const names = ['ingest', 'router', 'event-store', 'archiver', 'aggregator', 'alerter', 'detector', 'query'];
  const services = Object.fromEntries(names.map((name) => [name, size]));
  return { services: { ...services, [of]: { ...size, ...change } } };
};
const stream = (change: Readonly<Record<string, unknown>>) => ({ shard_count: 4, ...change });
const network = (change: Readonly<Record<string, unknown>>) => ({ network: change });
const routed = ['city', 'product', 'user', 'technical'];
const outbound = (change: Readonly<Record<string, unknown>>) => ({
  outbound_streams: Object.fromEntries(routed.map((name) => [name, stream(name === 'city' ? change : {})])),
});

interface Case {
  readonly what: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly says: string;
}

/** The rules of one stream, tried on each of the three variables. */
const streamCases: readonly Case[] = [
  { what: 'an unknown mode', change: { mode: 'AUTO' }, says: 'mode must be' },
  { what: 'no shards', change: { shard_count: null }, says: 'shard_count must be 1' },
  { what: 'shards on demand', change: { mode: 'ON_DEMAND' }, says: 'shard_count must be 1' },
  { what: 'a retention over a year', change: { retention_hours: 8761 }, says: 'retention_hours must be' },
  { what: 'a record over 10 MiB', change: { record_kib: 10_241 }, says: 'record_kib must be 1024 to 10240' },
  {
    what: 'an unknown shard metric',
    change: { shard_metrics: ['All'] },
    says: 'shard_metrics may hold only',
  },
].flatMap(({ what, change, says }) => [
  { what: `${what} (inbound)`, values: { inbound_stream: stream(change) }, says: `inbound_stream: ${says}` },
  { what: `${what} (outbound)`, values: outbound(change), says: `outbound_streams: ${says}` },
  { what: `${what} (derived)`, values: { derived_stream: stream(change) }, says: `derived_stream: ${says}` },
]);

const shardCases: readonly Case[] = [
  'router',
  'event-store',
  'archiver',
  'aggregator',
  'alerter',
  'detector',
].map((name) => ({
  what: `more tasks of ${name} than shards`,
  values: service({ max_count: 99 }, name),
  says: `services.${name}.max_count must not exceed the shards it reads`,
}));

const cases: readonly Case[] = [
  ...streamCases,
  ...shardCases,
  {
    what: 'an environment with a capital',
    values: { environment: 'Dev' },
    says: 'environment must be 2 to 12 lower-case letters',
  },
  {
    what: 'a region that is none',
    values: { aws_region: 'frankfurt' },
    says: 'aws_region must be a region code',
  },
  {
    what: 'a prefix that ends in a hyphen',
    values: { name_prefix: 'weir-' },
    says: 'name_prefix must be 3 to 12',
  },
  {
    what: 'the image tag latest',
    values: { image_tag: 'latest' },
    says: 'image_tag must be the tag of a pushed release',
  },
  {
    what: 'a missing zone',
    values: { domain: { zone_id: '', name: 'weir.example.com' } },
    says: 'domain.zone_id must be the id',
  },
  {
    what: 'a domain with a slash',
    values: { domain: { zone_id: 'Z012345678', name: 'a/b' } },
    says: 'domain.name must be a domain name',
  },
  {
    what: 'a range that is too small',
    values: network({ cidr: '10.0.0.0/24' }),
    says: 'network.cidr must be an IPv4 range of /20',
  },
  {
    what: 'one availability zone',
    values: network({ az_count: 1 }),
    says: 'network.az_count must be 2, 3 or 4',
  },
  {
    what: 'an unknown NAT mode',
    values: network({ nat_mode: 'two' }),
    says: 'network.nat_mode must be "none", "single" or "per_az"',
  },
  {
    what: 'no NAT without endpoints',
    values: network({ nat_mode: 'none' }),
    says: 'network.nat_mode "none" needs every interface endpoint',
  },
  {
    what: 'an unknown endpoint',
    values: network({ interface_endpoints: ['ftp'] }),
    says: 'network.interface_endpoints may hold only',
  },
  {
    what: 'an existing VPC with one subnet',
    values: network({
      existing: { vpc_id: 'vpc-1', public_subnet_ids: ['a', 'b'], private_subnet_ids: ['c'] },
    }),
    says: 'network.existing needs at least two public and two private subnets',
  },
  {
    what: 'a stream of the routes that is missing',
    values: { outbound_streams: { city: { shard_count: 1 } } },
    says: 'outbound_streams must hold every stream',
  },
  {
    what: 'a service that is unknown',
    values: {
      services: {
        ...(service({}).services as object),
        routr: { cpu: 256, memory: 512, min_count: 1, max_count: 1 },
      },
    },
    says: 'services: unknown routr',
  },
  {
    what: 'a service that is missing',
    values: { services: { router: { cpu: 256, memory: 512, min_count: 1, max_count: 1 } } },
    says: 'services: missing aggregator',
  },
  {
    what: 'no task at all',
    values: service({ min_count: 0 }),
    says: 'services (router): min_count must be at least 1',
  },
  {
    what: 'max below min',
    values: service({ min_count: 3, max_count: 2 }),
    says: 'services (router): max_count must not be less than min_count',
  },
  {
    what: '201 tasks',
    values: service({ max_count: 201 }),
    says: 'services (router): max_count must not exceed 200',
  },
  {
    what: 'a first count out of range',
    values: service({ desired_count: 9 }),
    says: 'desired_count must be between',
  },
  { what: 'a size that Fargate has not', values: service({ memory: 700 }), says: 'Fargate has no such pair' },
  { what: 'a negative Spot weight', values: service({ spot_weight: -1 }), says: 'spot_weight must be 0' },
  { what: 'a CPU target of 100', values: service({ cpu_target: 100 }), says: 'cpu_target must be 10 to 90' },
  {
    what: 'a lag target below a read',
    values: service({ lag_target_ms: 100 }),
    says: 'lag_target_ms must be at least 5000',
  },
  { what: 'a table that is unknown', values: { tables: { event: {} } }, says: 'tables: unknown event' },
  {
    what: 'objects that grow old too soon',
    values: { lake: { infrequent_days: 10 } },
    says: 'lake.infrequent_days must be at least 30',
  },
  {
    what: 'objects that expire before they are old',
    values: { lake: { expire_days: 60 } },
    says: 'lake.expire_days must be later',
  },
  {
    what: 'a buffer below the limit of Firehose',
    values: { lake: { raw_buffer_mb: 1 } },
    says: 'lake.raw_buffer_mb must be 64 to 128',
  },
  {
    what: 'an address without @',
    values: { alarms: { emails: ['me'] } },
    says: 'alarms.emails must be mail addresses',
  },
  {
    what: 'a p99 of a microsecond',
    values: { alarms: { p99_ms: 0.001 } },
    says: 'alarms.p99_ms must be 50 to 60000',
  },
  {
    what: 'a budget nobody hears of',
    values: { budget: { monthly_usd: 10, emails: [] } },
    says: 'budget needs monthly_usd above 0',
  },
  {
    what: 'a rate below the limit of WAF',
    values: { edge: { requests_per_5_minutes_per_ip: 1 } },
    says: 'edge.requests_per_5_minutes_per_ip must be',
  },
  {
    what: 'an open door that is no range',
    values: { edge: { allowed_cidrs: ['everyone'] } },
    says: 'edge.allowed_cidrs must be',
  },
  {
    what: 'an export over plain http',
    values: {
      monitoring_export: {
        otlp_endpoint: 'http://x',
        token_secret_arn: 'arn:aws:secretsmanager:x',
        collector_image: 'a:1',
      },
    },
    says: 'monitoring_export needs an https otlp_endpoint',
  },
  {
    what: 'a retention CloudWatch has not',
    values: { log_retention_days: 31 },
    says: 'log_retention_days must be one of',
  },
  {
    what: 'an unknown detail of metrics',
    values: { container_insights: 'all' },
    says: 'container_insights must be',
  },
  {
    what: 'a number where an object belongs',
    values: { services: 3 },
    says: 'The given value is not suitable for var.services declared at',
  },
  {
    what: 'a word where a number belongs',
    values: service({ max_count: 'many' }),
    says: 'a number is required',
  },
  {
    what: 'a domain without its zone',
    values: { domain: { name: 'weir.example.com' } },
    says: 'attribute "zone_id" is required',
  },
  {
    what: 'a stream with the name of our own',
    values: { outbound_streams: { ...outbound({}).outbound_streams, inbound: stream({}) } },
    says: '"inbound" and "derived" are the names',
  },
  {
    what: 'a stream with a capital',
    values: { outbound_streams: { ...outbound({}).outbound_streams, City: stream({}) } },
    says: 'a name must be lower-case letters',
  },
];

describe('tfvars', function () {
  this.timeout(60_000);
  before(async function () {
    await terraformOrSkip(this as unknown as Mocha.Context);
  });

  it('accepts the example and every file of envs', async () => {
    const files = readdirSync('envs').filter((file) => file.endsWith('.tfvars'));
    expect(files).to.include.members(['dev.tfvars', 'prod.tfvars']);
    for (const file of [...base, ...files.map((name) => `envs/${name}`)]) {
      const run = await planVariables([file]);
      expect(run.code, `${file}: ${run.stderr}`).to.equal(0);
    }
  });

  const refusals: string[] = [];

  for (const { what, values, says } of cases) {
    it(`refuses ${what}, and says so`, async () => {
      const run = await planVariables(base, values);
      expect(run.code).to.equal(1);
      expect(flat(run.stderr)).to.contain(says);
      refusals.push(flat(run.stderr));
    });
  }

  it('reports all that is wrong at once', async () => {
    const run = await planVariables(base, { environment: 'X', log_retention_days: 1, tables: { nix: {} } });
    expect(flat(run.stderr))
      .to.contain('environment must')
      .and.contain('log_retention_days')
      .and.contain('nix');
  });

  it('has a case above for every rule that is declared', () => {
    const said = refusals.join('\n');
    const unseen = declaredMessages().filter((message) => !said.includes(message));
    expect(unseen).to.deep.equal([]);
  });
});

/** What each rule says after its last expression: the part that is the same for every value. */
function declaredMessages(): readonly string[] {
  return Object.values(platformStack().variable)
    .flatMap((variable) => (variable.validation ?? []) as readonly { readonly error_message: string }[])
    .map((rule) => flat(rule.error_message.slice(rule.error_message.lastIndexOf('}') + 1)).trim());
}
