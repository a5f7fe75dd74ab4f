import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { localAccountId, localBusQueueUrl, localNames, localRegion } from '../../local/names.ts';
import { ProcessGroup } from '../../local/process-group.ts';
import { type Endpoints, seed } from '../../local/seed.ts';
import type { PlatformNames } from '../../services/catalogue.ts';

/** The stand-ins, with everything in them that the deployment would have. */
export interface Cloud {
  readonly endpoints: Endpoints;
  /** Names as a service sees them that reaches AWS at `url`. */
  readonly namesAt: (url: string) => PlatformNames;
  readonly stop: () => Promise<void>;
}

/** One process of stand-ins, seeded from the flow of `projectDir`; its data and log go to `folder`. */
export async function startCloud(projectDir: string, folder: string, signal: AbortSignal): Promise<Cloud> {
  const flowDir = join(projectDir, 'flow');
  const group = new ProcessGroup({
    projectDir,
    logDir: folder,
    onChange: () => undefined,
    onFatal: (error) => process.stderr.write(`${error.message}\n`),
  });
  const ports = { kinesis: 0, dynamodb: 0, s3: 0, sqs: 0, glue: 0 };
  const started = await group.start({
    name: 'cloud',
    script: 'local/cloud.ts',
    args: [JSON.stringify({ dataDir: folder, region: localRegion, accountId: localAccountId, ports })],
    env: process.env,
    restart: false,
  });
  const url = (name: keyof typeof ports): string => `http://127.0.0.1:${started[name]}`;
  const endpoints: Endpoints = {
    kinesis: url('kinesis'),
    dynamodb: url('dynamodb'),
    s3: url('s3'),
    sqs: url('sqs'),
    glue: url('glue'),
  };
  const routes = parse(await readFile(join(flowDir, 'routes.yaml'), 'utf8')) as { readonly streams: object };
  const namesAt = (at: string): PlatformNames =>
    localNames(Object.keys(routes.streams), localBusQueueUrl(at));
  const shards = { inbound: 1, outbound: 1, derived: 1 };
  await seed({ endpoints, names: namesAt(endpoints.sqs), shards, flowDir }, signal);
  return { endpoints, namesAt, stop: () => group.stop() };
}
