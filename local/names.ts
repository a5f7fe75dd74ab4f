import type { PlatformNames } from '../services/catalogue.ts';

/** The laptop cloud is one account in one region; the account is the one that fauxqs puts into queue URLs. */
export const localRegion = 'eu-central-1';
export const localAccountId = '000000000000';

const environment = 'local';
const named = (what: string): string => `weir-${environment}-${what}`;

/** The bus as the SQS stand-in at `sqsUrl` will name it. */
export function localBusQueueUrl(sqsUrl: string): string {
  return `${sqsUrl}/${localAccountId}/${named('bus')}`;
}

/** Names of everything the laptop cloud holds. `outbound` are the streams of flow/routes.yaml. */
export function localNames(outbound: readonly string[], queueUrl: string): PlatformNames {
  const streams = outbound.map((name) => [name, named(name)]);
  return {
    region: localRegion,
    environment,
    inboundStream: named('inbound'),
    outboundStreams: JSON.stringify(Object.fromEntries(streams)),
    derivedStream: named('derived'),
    lakeBucket: named('lake'),
    busQueueUrl: queueUrl,
    schemaRegistry: named('events'),
    table: named,
  };
}
