import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { PlatformError } from '../../lib/runtime/errors.ts';

export interface RunningServer {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** kinesis-local takes half a second to start; a start that takes longer than this has failed. */
const START_MS_MAX = 15_000;
const START_POLL_MS = 50;

/** By default it takes half a second for each change of a stream. */
const WITHOUT_DELAYS = Object.fromEntries(
  [
    'CREATE_STREAM',
    'DELETE_STREAM',
    'REGISTER_STREAM_CONSUMER',
    'DEREGISTER_STREAM_CONSUMER',
    'START_STREAM_ENCRYPTION',
    'STOP_STREAM_ENCRYPTION',
    'MERGE_SHARDS',
    'SPLIT_SHARD',
    'UPDATE_SHARD_COUNT',
  ].map((change) => [`${change}_DURATION`, '5ms']),
);

/** `dataDir` switches the journal on. */
export async function startOwn(dataDir?: string): Promise<RunningServer> {
  const script = fileURLToPath(new URL('own-server.ts', import.meta.url));
  const child = fork(script, dataDir === undefined ? [] : [dataDir], {
    execArgv: ['--no-warnings', '--import', 'tsx'],
  });
  const [message] = (await once(child, 'message')) as [{ readonly url: string }];
  return { url: message.url, stop: () => stop(child) };
}

/** The npm package `kinesis-local`, in the process and with the settings that its own start script uses. */
export async function startKinesisLocal(): Promise<RunningServer> {
  const require = createRequire(import.meta.url);
  const [plain, tls] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, [require.resolve('kinesis-local/main.js')], {
    env: {
      ...process.env,
      KINESIS_MOCK_CERT_PATH: require.resolve('kinesis-local/server.json'),
      KINESIS_MOCK_PLAIN_PORT: String(plain),
      KINESIS_MOCK_TLS_PORT: String(tls),
      LOG_LEVEL: 'ERROR',
      SHARD_LIMIT: '1000',
      ...WITHOUT_DELAYS,
    },
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${plain}`;
  await untilUp(url, child);
  return { url, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function untilUp(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_MS_MAX;
  while (child.exitCode === null && performance.now() < deadline) {
    const up = await fetch(url).then(
      () => true,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, START_POLL_MS));
  }
  await stop(child);
  throw new PlatformError('peer-not-started', `${url} did not answer within ${START_MS_MAX} ms`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
