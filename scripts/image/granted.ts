import { access, type Target } from '../../modules/roles/access.ts';
import type { PlatformNames, ServiceName } from '../../services/catalogue.ts';
import type { RecordedCall } from './recorder.ts';

/** A call in the words of the roles: `dynamodb:PutItem on table:dedupe`. */
export function inWords({ action, resources }: RecordedCall, names: PlatformNames): readonly string[] {
  if (resources.length === 0) return [action];
  return [...new Set(resources.map((name) => `${action} on ${nounOf(name, names)}`))];
}

/** Everything that a service's role grants, in the same words; an action alone is for calls that name no resource. */
export function grantsOf(service: ServiceName): readonly string[] {
  return access[service].flatMap(({ actions, on }) =>
    actions.flatMap((action) => [action, ...on.map((target) => `${action} on ${wordOf(target)}`)]),
  );
}

function nounOf(name: string, names: PlatformNames): string {
  const outbound = Object.values(JSON.parse(names.outboundStreams) as Readonly<Record<string, string>>);
  if (name === names.inboundStream) return 'stream:inbound';
  if (name === names.derivedStream) return 'stream:derived';
  if (outbound.includes(name)) return 'stream:outbound';
  if (name === names.lakeBucket) return 'lake';
  if (names.busQueueUrl.endsWith(`/${name}`)) return 'bus';
  return `table:${name.slice(names.table('events').length - 'events'.length)}`;
}

/** `stream:inbound`, `table:events`, `lake`: what a role's statement is about. */
export function wordOf(target: Target): string {
  switch (target.type) {
    case 'stream':
      return `stream:${target.stream}`;
    case 'table':
      return `table:${target.table}`;
    case 'lake':
    case 'bus':
    case 'registry':
      return target.type;
  }
}
