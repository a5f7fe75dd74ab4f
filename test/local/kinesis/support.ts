import { KinesisClient } from '@aws-sdk/client-kinesis';
import { silentLog } from '../../../lib/runtime/log.ts';
import { startKinesis, type KinesisOptions, type KinesisServer } from '../../../local/kinesis/server.ts';

export interface TestKinesis {
  readonly server: KinesisServer;
  /** The SDK's default client: HTTP/2 without TLS, no retries so that every error is seen. */
  readonly client: KinesisClient;
  readonly stop: () => Promise<void>;
}

export const ACCOUNT = '123456789012';

export async function startTestKinesis(options: Partial<KinesisOptions> = {}): Promise<TestKinesis> {
  const server = await startKinesis({
    port: 0,
    region: 'eu-central-1',
    accountId: ACCOUNT,
    limits: 'off',
    log: silentLog,
    ...options,
  });
  const client = clientOf(server.url);
  const stop = async (): Promise<void> => {
    client.destroy();
    await server.close();
  };
  return { server, client, stop };
}

export function clientOf(endpoint: string): KinesisClient {
  return new KinesisClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
}

/** The SDK's name for what a call was refused with; fails when it was not refused. */
export async function refusalOf(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('the call was not refused');
}

export function shardId(index: number): string {
  return `shardId-${String(index).padStart(12, '0')}`;
}
