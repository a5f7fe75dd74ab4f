import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Lack } from './kinesis/support.ts';
import { kinesisPortContract } from './kinesis-port.ts';
import { sdkKinesis } from './kinesis/sdk-kinesis.ts';

/**
 * Python's moto, where it is installed: someone else's reading of the same documentation. What it lacks (seen with
 * 5.2.1) the API reference has: ShardFilter, hash keys up to the very last, InvalidArgumentException for a sequence
 * number of no shard, ChildShards at the end of a shard, writes that go to the children after a split, HTTP/2.
 */
const lacks: readonly Lack[] = [
  'shard-filter',
  'explicit-hash-key',
  'bad-position',
  'child-shards',
  'resharding',
  'fan-out',
];

kinesisPortContract(
  'AWS adapter on moto',
  async () => {
    const server = spawn('moto_server', ['-H', '127.0.0.1', '-p', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const address = await addressOf(server);
    if (address === undefined) return { skip: 'moto_server is not installed' };
    return sdkKinesis(address, async () => {
      const gone = once(server, 'exit');
      server.kill('SIGTERM');
      await gone;
    });
  },
  lacks,
);

/** Flask prints where it listens; undefined if the program is not there or ends at once. */
async function addressOf(server: ChildProcess): Promise<string | undefined> {
  let printed = '';
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.once('exit', () => resolve(undefined));
    server.stderr?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(printed);
      if (found) resolve(found[0]);
    });
  });
}
