import { startKinesis } from '../../local/kinesis/server.ts';

/** Our Kinesis as a process of its own; tells its address over IPC and ends with its parent. */
const dataDir = process.argv[2];
const server = await startKinesis({
  port: 0,
  region: 'eu-central-1',
  accountId: '000000000000',
  limits: 'off',
  ...(dataDir === undefined ? {} : { dataDir }),
});
process.on('disconnect', () => process.exit(0));
process.send?.({ url: server.url });
