import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PlatformError } from '../lib/runtime/errors.ts';
import {
  catalogue,
  environments,
  type PlatformNames,
  type ServiceName,
  serviceNames,
} from '../services/catalogue.ts';
import { type DataDir, openDataDir } from './data-dir.ts';
import { localAccountId, localBusQueueUrl, localNames, localRegion } from './names.ts';
import { checkOptions, type LocalOptions, type NamedPort } from './options.ts';
import { checkPorts, choosePorts, type NamedPorts } from './ports.ts';
import { type Ports, ProcessGroup, type ProcessView } from './process-group.ts';
import { type Endpoints, seed } from './seed.ts';

/** Laptop values: quick answers matter more here than the price of a write or of a read. */
const localSettings = { HOST: '127.0.0.1', PORT: '0', STOP_TIMEOUT_MS: '10000' } as const;
const localWorkerSettings = { CHECKPOINT_MS: '1000', POLL_MS: '400' } as const;
const localServiceSettings: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>> = {
  archiver: { ARCHIVE_MAX_MS: '5000' },
  aggregator: { IDLE_MS: '10000' },
};

export interface Platform {
  readonly queryUrl: string;
  readonly ingestUrl: string;
  readonly dataDir: string;
  readonly endpoints: Endpoints;
  readonly names: PlatformNames;
  readonly views: () => readonly ProcessView[];
  /** Sends a signal to one process: how a test kills a worker. False: it is not running. */
  readonly signal: (process: string, signal: NodeJS.Signals) => boolean;
  /** Rejects when something that must not die did. */
  readonly failed: Promise<never>;
  /** Services first, so that they drain while the cloud is there; then the stand-ins. */
  readonly stop: () => Promise<void>;
}

export interface PlatformHooks {
  readonly projectDir: string;
  readonly onChange: (view: ProcessView) => void;
  readonly onStep: (text: string) => void;
}

/** Brings everything up on loopback; resolves once every service listens. On failure nothing is left behind. */
export async function startPlatform(options: LocalOptions, hooks: PlatformHooks): Promise<Platform> {
  checkOptions(options);
  const ports = await choosePorts(options.portBase);
  await checkPorts(ports);
  const dataDir = await openDataDir(options.dataDir);
  const fatal = deferred();
  const groupOptions = {
    projectDir: hooks.projectDir,
    logDir: dataDir.logs,
    onChange: hooks.onChange,
    onFatal: fatal.reject,
  };
  const cloud = new ProcessGroup(groupOptions);
  const services = new ProcessGroup(groupOptions);
  const stop = async (): Promise<void> => {
    await services.stop();
    await cloud.stop();
    await dataDir.release();
  };
  try {
    hooks.onStep('starting the stand-ins');
    const endpoints = await startCloud(cloud, ports, dataDir, hooks);
    hooks.onStep('creating streams, tables, queues and schemas');
    const names = await seedPlatform(endpoints, options, hooks);
    hooks.onStep('starting the services');
    await startServices(services, { options, ports, endpoints, names });
    return {
      queryUrl: `http://127.0.0.1:${ports.query}`,
      ingestUrl: `http://127.0.0.1:${ports.ingest}`,
      dataDir: dataDir.path,
      endpoints,
      names,
      views: () => [...cloud.views(), ...services.views()],
      signal: (name, signal) => services.signal(name, signal),
      failed: fatal.promise,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function deferred(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_resolve, rejects) => {
    reject = rejects;
  });
  // A failure before anybody waits for it must not count as unhandled; a later waiter still sees it.
  promise.catch((error: unknown) => void error);
  return { promise, reject };
}

/** Two processes: the tables apart from the rest, because both are busy under load and a laptop has cores. */
async function startCloud(
  cloud: ProcessGroup,
  ports: NamedPorts,
  dataDir: DataDir,
  hooks: PlatformHooks,
): Promise<Endpoints> {
  const start = (name: string, members: readonly NamedPort[]): Promise<Ports> =>
    cloud.start({
      name,
      script: join(hooks.projectDir, 'local/cloud.ts'),
      args: [
        JSON.stringify({
          dataDir: dataDir.path,
          region: localRegion,
          accountId: localAccountId,
          ports: Object.fromEntries(members.map((member) => [member, ports[member]])),
        }),
      ],
      env: process.env,
      restart: false,
    });
  const [tables, rest] = await Promise.all([
    start('tables', ['dynamodb']),
    start('streams', ['kinesis', 's3', 'sqs', 'glue']),
  ]);
  const url = (from: Ports, name: string): string => `http://127.0.0.1:${from[name]}`;
  return {
    dynamodb: url(tables, 'dynamodb'),
    kinesis: url(rest, 'kinesis'),
    s3: url(rest, 's3'),
    sqs: url(rest, 'sqs'),
    glue: url(rest, 'glue'),
  };
}

async function seedPlatform(
  endpoints: Endpoints,
  options: LocalOptions,
  hooks: PlatformHooks,
): Promise<PlatformNames> {
  const flowDir = join(hooks.projectDir, 'flow');
  const names = localNames(await outboundNames(flowDir), localBusQueueUrl(endpoints.sqs));
  const shards = { inbound: options.inboundShards, outbound: options.outboundShards, derived: 1 };
  await seed({ endpoints, names, shards, flowDir }, new AbortController().signal);
  return names;
}

async function outboundNames(flowDir: string): Promise<readonly string[]> {
  const path = join(flowDir, 'routes.yaml');
  const rules = parse(await readFile(path, 'utf8')) as {
    readonly streams?: Readonly<Record<string, unknown>>;
  } | null;
  const names = Object.keys(rules?.streams ?? {});
  if (names.length === 0)
    throw new PlatformError('no-streams', `${path} declares no streams: add one under "streams"`);
  return names;
}

interface Wiring {
  readonly options: LocalOptions;
  readonly ports: NamedPorts;
  readonly endpoints: Endpoints;
  readonly names: PlatformNames;
}

async function startServices(services: ProcessGroup, wiring: Wiring): Promise<void> {
  const starts = serviceNames.flatMap((name) => {
    const count = wiring.options.scale[name] ?? 1;
    return Array.from({ length: count }, async (_, index) => {
      const process = count === 1 ? name : `${name}-${index + 1}`;
      await services.start({
        name: process,
        script: `services/${name}/main.ts`,
        args: [],
        env: environmentFor(name, process, wiring),
        restart: true,
      });
    });
  });
  await Promise.all(starts);
}

/** What ECS gives a task, with the stand-ins' addresses and laptop timings on top. */
function environmentFor(
  name: ServiceName,
  process: string,
  { options, ports, endpoints, names }: Wiring,
): Readonly<Record<string, string | undefined>> {
  const worker = catalogue[name].kind === 'worker';
  return {
    ...inherited(),
    ...environments(names)[name],
    ...localSettings,
    ...(worker ? { ...localWorkerSettings, WORKER_ID: process } : {}),
    ...(name === 'query' ? { PORT: String(ports.query) } : {}),
    ...(name === 'ingest' ? { PORT: String(ports.ingest) } : {}),
    ...localServiceSettings[name],
    ...options.settings[name],
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_ENDPOINT_URL_KINESIS: endpoints.kinesis,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_GLUE: endpoints.glue,
  };
}

/** A developer's own AWS profile or endpoints must not leak into the local platform. */
function inherited(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
}
