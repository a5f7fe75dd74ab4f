import { expect } from 'chai';
import { access, reads, type Grant } from '../../modules/roles/access.ts';
import { wordOf } from '../../scripts/image/granted.ts';
import { environments, serviceNames, type ServiceName } from '../../services/catalogue.ts';
import { eventSchemaText } from '../../lib/event/event-schema.ts';
import { actionOf, callsIn, callsOf } from './support/reach.ts';
import { platformStack } from './support/stack.ts';
import { uncalled } from './support/uncalled.ts';

interface Comparison {
  /** The code can call it; the role does not let it, and nobody says why. */
  readonly missing: readonly string[];
  /** The role lets it; the code cannot call it. */
  readonly unneeded: readonly string[];
  /** Said to be uncalled, but granted, or out of reach by now. */
  readonly stale: readonly string[];
}

function compare(
  reached: readonly string[],
  grants: readonly Grant[],
  exceptions: Readonly<Record<string, string>>,
): Comparison {
  const granted = [...new Set(grants.flatMap((grant) => grant.actions))];
  const said = Object.keys(exceptions);
  return {
    missing: reached.filter((action) => !granted.includes(action) && !said.includes(action)),
    unneeded: granted.filter((action) => !reached.includes(action)),
    stale: said.filter((action) => granted.includes(action) || !reached.includes(action)),
  };
}

const none: Comparison = { missing: [], unneeded: [], stale: [] };

/** What a setting names, in the words of access.ts. */
const settingTargets: Readonly<Record<string, string>> = {
  INBOUND_STREAM: 'stream:inbound',
  OUTBOUND_STREAMS: 'stream:outbound',
  DERIVED_STREAM: 'stream:derived',
  LAKE_BUCKET: 'lake',
  BUS_QUEUE_URL: 'bus',
  SCHEMA_REGISTRY: 'registry',
};

function targetsOf(service: ServiceName): readonly string[] {
  return access[service].flatMap(({ on }) => on.map(wordOf));
}

const environment = environments({
  region: 'r',
  environment: 'e',
  inboundStream: 'inbound',
  outboundStreams: '{}',
  derivedStream: 'derived',
  lakeBucket: 'lake',
  busQueueUrl: 'bus',
  schemaRegistry: 'events',
  table: (name) => name,
});

describe('the role of a service', function () {
  this.timeout(60_000);

  for (const service of serviceNames) {
    const entry = `services/${service}/main.ts`;

    it(`${service}: lets it make every call that its code makes, and no other`, () => {
      const reached = [...new Set(callsOf(entry).map(actionOf))];
      expect(compare(reached, access[service], uncalled[service])).to.deep.equal(none);
    });

    it(`${service}: reaches only what its settings name`, () => {
      const settings = environment[service] as Readonly<Record<string, string>>;
      const named = Object.entries(settings).flatMap(([name, value]) => {
        if (name === 'LEASE_TABLES') {
          return Object.values(JSON.parse(value) as Record<string, string>).map((table) => `table:${table}`);
        }
        return name.endsWith('_TABLE') ? [`table:${value}`] : [settingTargets[name] ?? name];
      });
      expect(targetsOf(service).filter((target) => !named.includes(target))).to.deep.equal([]);
    });
  }

  it('is too small when a call is added to the code', () => {
    const bundle = `import { PutRecordsCommand, DeleteStreamCommand as D, SplitShardCommand } from "@aws-sdk/client-kinesis";
      new PutRecordsCommand({}); new D({});`;
    const reached = callsIn(bundle).map(actionOf);
    const grants: readonly Grant[] = [{ actions: ['kinesis:PutRecords'], on: [] }];
    expect(compare(reached, grants, {}).missing).to.deep.equal(['kinesis:DeleteStream']);
  });

  it('is too large when a right is added that no code needs', () => {
    const grants: readonly Grant[] = [{ actions: ['kinesis:PutRecords', 'kinesis:DeleteStream'], on: [] }];
    expect(compare(['kinesis:PutRecords'], grants, {}).unneeded).to.deep.equal(['kinesis:DeleteStream']);
  });

  it('names an exception that is not one any more', () => {
    const grants: readonly Grant[] = [{ actions: ['kinesis:PutRecords'], on: [] }];
    expect(compare(['kinesis:PutRecords'], grants, { 'kinesis:PutRecords': 'x' }).stale).to.have.length(1);
  });

  it('of a worker reads the streams that limit its number of tasks', () => {
    for (const [service, streams] of Object.entries(reads)) {
      const readable = access[service as ServiceName]
        .filter(({ actions }) => actions.includes('kinesis:GetRecords'))
        .flatMap(({ on }) => on.map((target) => (target.type === 'stream' ? target.stream : '')));
      expect(readable, service).to.have.members([...streams]);
    }
  });
});

describe('the schema registry', function () {
  this.timeout(60_000);

  it('holds the very text that the code asks for: it is found by definition', () => {
    expect(platformStack().resource.aws_glue_schema?.event?.schema_definition).to.equal(eventSchemaText);
  });
});
