import { startKinesis } from '../../local/kinesis/server.ts';
import { kinesisPortContract } from './kinesis-port.ts';
import { sdkKinesis } from './kinesis/sdk-kinesis.ts';

kinesisPortContract('AWS adapter on the local server', async () => {
  const server = await startKinesis({
    port: 0,
    region: 'eu-central-1',
    accountId: '000000000000',
    limits: 'off',
  });
  return sdkKinesis(server.url, server.close);
});
