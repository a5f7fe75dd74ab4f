import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { diagramPage, flowsOf } from '../../scripts/plan/diagram.ts';
import { serviceNames } from '../../services/catalogue.ts';
import { tableNames } from '../../lib/stores/tables.ts';
import { platformStack } from './support/stack.ts';

describe('the documents', function () {
  this.timeout(60_000);

  it('say what to do for every alarm, and for no other', () => {
    const headings = [...readFileSync('docs/operations.md', 'utf8').matchAll(/^### (.+)$/gm)]
      .flatMap(([, heading = '']) => heading.split(', '))
      .toSorted();
    const { aws_cloudwatch_metric_alarm: alarms = {}, aws_cloudwatch_composite_alarm: composite = {} } =
      platformStack().resource;
    const names = [...Object.values(alarms), ...Object.values(composite)]
      .map(({ alarm_name: name }) => String(name).replace('${local.prefix}-', '').replace('-${each.key}', ''))
      .filter((name) => !/-scale-(in|out)$/.test(name))
      .map(family);
    expect([...new Set(names)].toSorted()).to.deep.equal(headings);
  });

  it('draw the deployment as it is now', () => {
    const page = diagramPage(platformStack(), serviceNames);
    expect(readFileSync('docs/infrastructure.md', 'utf8'), 'run npm run infra:diagram').to.equal(page);
  });

  it('draw an arrow for every stream that a service reads or writes', () => {
    const flows = flowsOf(platformStack());
    expect(flows).to.deep.include({
      service: 'ingest',
      thing: 'inbound',
      kind: 'stream',
      writes: true,
      reads: false,
    });
    expect(flows).to.deep.include({
      service: 'router',
      thing: 'inbound',
      kind: 'stream',
      writes: false,
      reads: true,
    });
    expect(flows).to.deep.include({
      service: 'router',
      thing: 'outbound',
      kind: 'stream',
      writes: true,
      reads: false,
    });
    expect(new Set(flows.map(({ service }) => service))).to.deep.equal(new Set(serviceNames));
  });

  it('explain every variable in the example', () => {
    const example = readFileSync('terraform.tfvars.example', 'utf8');
    const missing = Object.keys(platformStack().variable).filter(
      (name) => !new RegExp(`^(# )?${name}\\s+=`, 'm').test(example),
    );
    expect(missing).to.deep.equal([]);
  });
});

/** `router-lag` → `NAME-lag` */
function family(alarm: string): string {
  const table = tableNames.find((name) => alarm === `table-${name}-throttled`);
  if (table !== undefined) return 'table-TABLE-throttled';
  const service = serviceNames.find((name) => alarm.startsWith(`${name}-`));
  if (service !== undefined) return alarm.replace(service, 'NAME');
  return alarm.replace(/^(inbound|outbound|derived)-/, 'STREAM-');
}
