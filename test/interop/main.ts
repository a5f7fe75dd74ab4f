// `npm run interop`: workers of the Java KCL and ours on one stream and one lease table.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { startDynamoDb } from '../../local/dynamodb.ts';
import { startKinesis } from '../../local/kinesis/server.ts';
import { failoverMs, shardCount } from './acts.ts';
import { buildJava, type KclLine, kclVersions } from './java.ts';
import { table } from './report.ts';
import { openScene, type Servers } from './scene.ts';
import { kcl2Stories, kcl34Stories, kcl3CompatibleStories, kcl3Stories, type Story } from './stories.ts';
import { play, type Run } from './story.ts';

const exitCode = { ok: 0, usage: 2, checkFailed: 6, interrupted: 130 } as const;
const region = 'us-east-1';

const help = `npm run interop -- [--only NAME …] [--long] [--json]

Runs workers of the Java KCL (2.7, 3.4 and 3.5, from Maven Central) and ours on one
stream and one lease table, and checks the invariants of the lease protocol.
Where java, mvn or the packages are missing it says so and exits with 0.
Exit 0 if all holds, 6 if not. NAME is a part of a story's name: kcl2, kcl3,
java-first, ours-first … --long adds the stories that take many minutes:
kcl3-upgrade, kcl3-broken-hand-offs.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      long: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return exitCode.ok;
  }
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  const folder = await mkdtemp(join(tmpdir(), 'weir-interop-logs-'));
  const servers = await openServers();
  const runs: Run[] = [];
  const skipped: string[] = [];
  try {
    for (const line of Object.keys(kclVersions) as KclLine[]) {
      const build = await buildJava(line);
      if (build.type === 'missing') {
        skipped.push(`KCL ${line} was NOT run: ${build.why}`);
        continue;
      }
      const stories = storiesOf(line, build.classPath).filter(
        ({ long, name }) => (values.long || long !== true) && wanted(name, values.only),
      );
      for (const { acts, name } of stories) {
        if (stopping.signal.aborted) break;
        const scene = await openScene(name, shardCount, servers);
        runs.push(...(await play(acts, scene, { failoverMs, folder, signal: stopping.signal })));
      }
    }
  } finally {
    await servers.close();
  }
  const ok = runs.every((run) => run.ok);
  for (const line of skipped) process.stderr.write(`SKIPPED: ${line}\n`);
  const text = values.json ? JSON.stringify({ ok, runs, skipped }, null, 2) : table(runs);
  process.stdout.write(`${text}\n`);
  process.stderr.write(`Logs of the workers: ${folder}\n`);
  if (stopping.signal.aborted) return exitCode.interrupted;
  return ok ? exitCode.ok : exitCode.checkFailed;
}

function storiesOf(line: KclLine, classPath: string): readonly Story[] {
  const java = { type: 'java', line, classPath } as const;
  const final = { ...java, mode: 'CLIENT_VERSION_CONFIG_3X' };
  switch (line) {
    case '2.7':
      return kcl2Stories(java);
    case '3.4':
      return kcl34Stories(final);
    case '3.5':
      return [
        ...kcl3CompatibleStories({ ...java, mode: 'CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X' }),
        ...kcl3Stories(final),
      ];
  }
}

function wanted(name: string, only: readonly string[] | undefined): boolean {
  return only === undefined || only.some((part) => name.includes(part));
}

async function openServers(): Promise<Servers & { readonly close: () => Promise<void> }> {
  const host = '127.0.0.1';
  const kinesis = await startKinesis({ port: 0, host, region, accountId: '000000000000', limits: 'service' });
  const dynamo = await startDynamoDb({ host, port: 0 });
  const credentials = { accessKeyId: 'interop', secretAccessKey: 'interop' };
  process.env.AWS_ACCESS_KEY_ID = credentials.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = credentials.secretAccessKey;
  const clients = {
    kinesis: createKinesisClient({ region, endpoint: kinesis.url }),
    dynamo: new DynamoDBClient({ region, endpoint: dynamo.url, credentials }),
  };
  return {
    kinesisUrl: kinesis.url,
    dynamoUrl: dynamo.url,
    ...clients,
    close: async () => {
      clients.kinesis.destroy();
      clients.dynamo.destroy();
      await kinesis.close();
      await dynamo.close();
    },
  };
}

process.exitCode = await main();
