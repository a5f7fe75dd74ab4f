import { expect } from 'chai';
import { archivePrefix } from '../../lib/stores/archive-layout.ts';
import { tableNames } from '../../lib/stores/tables.ts';
import { archivePrefix as deployedPrefix } from '../../modules/lake/index.ts';
import { serviceNames } from '../../services/catalogue.ts';
import { synthesise } from '../../scripts/offline/synthesise.ts';
import { platformStack, platformText } from './support/stack.ts';

const names = (type: string): readonly string[] =>
  Object.values(platformStack().resource[type] ?? {}).map((block) => String(block.name ?? block.bucket));

describe('the synthesised stack', function () {
  this.timeout(60_000);

  it('holds the inbound, the derived and every outbound stream, and the optional one of changes', () => {
    expect(names('aws_kinesis_stream')).to.have.members([
      '${local.prefix}-inbound',
      '${local.prefix}-derived',
      '${local.prefix}-events-changes',
      '${local.prefix}-${each.key}',
    ]);
  });

  it('holds every table of lib/stores/tables.ts', () => {
    expect(names('aws_dynamodb_table')).to.have.members(tableNames.map((name) => `\${local.prefix}-${name}`));
  });

  it('runs every service of the catalogue', () => {
    expect(names('aws_ecs_service')).to.have.members([...serviceNames]);
  });

  it('holds the lake, the bus with its dead letters, the schema registry and the image registry', () => {
    const { resource } = platformStack();
    expect(resource.aws_s3_bucket).to.have.keys('lake', 'logs');
    expect(resource.aws_sqs_queue).to.have.keys('bus', 'bus_dead_letters');
    expect(resource.aws_glue_registry).to.have.keys('events');
    expect(resource.aws_ecr_repository).to.have.keys('platform');
  });

  it('asks questions of the lake where the archiver writes', () => {
    expect(deployedPrefix).to.equal(archivePrefix);
  });

  it('is the same text every time', () => {
    expect(synthesise()).to.equal(platformText());
  });

  it('knows nothing of the machine it was made on, nor when', () => {
    const text = platformText();
    expect(text).not.to.contain(process.cwd());
    expect(text).not.to.match(/\b20[2-9]\d-\d\d-\d\dT/);
  });
});
