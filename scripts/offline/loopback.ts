import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The account that offline plans are made for. */
export const offlineAccount = '123456789012';

/** The two reads that a plan makes of AWS: who am I (STS), which availability zones are there (EC2). */
export interface Loopback {
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

/** Starts it on 127.0.0.1; anything but those two reads is answered with 501, so that a plan cannot lie quietly. */
export async function startLoopback(): Promise<Loopback> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
      const body = answerTo(form.get('Action') ?? '');
      response.writeHead(body ? 200 : 501, { 'content-type': 'text/xml' });
      response.end(body ?? `<Error>No answer to ${form.get('Action') ?? request.url ?? ''}</Error>`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve, reject) => {
        server.closeAllConnections();
        server.close((error) => (error ? reject(error) : resolve()));
      }),
  };
}

function answerTo(action: string): string | undefined {
  switch (action) {
    case 'GetCallerIdentity':
      return `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::${offlineAccount}:user/offline</Arn><UserId>OFFLINE</UserId><Account>${offlineAccount}</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;
    case 'DescribeAvailabilityZones':
      return `<DescribeAvailabilityZonesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>
<availabilityZoneInfo>${['a', 'b', 'c', 'd'].map(zone).join('')}</availabilityZoneInfo></DescribeAvailabilityZonesResponse>`;
    default:
      return undefined;
  }
}

function zone(letter: string): string {
  return `<item><zoneName>offline-1${letter}</zoneName><zoneId>off1-az-${letter}</zoneId><zoneState>available</zoneState>
<regionName>offline-1</regionName><zoneType>availability-zone</zoneType><optInStatus>opt-in-not-required</optInStatus></item>`;
}
