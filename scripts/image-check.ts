import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../lib/runtime/clock.ts';
import { assert, messageOf, PlatformError } from '../lib/runtime/errors.ts';
import { environments, type ServiceName, serviceNames } from '../services/catalogue.ts';
import { buildImage, type Image } from './image/build.ts';
import { type Cloud, startCloud } from './image/cloud.ts';
import { bytesIn, type Container, fingerprint, isRoot, protect, startContainer } from './image/container.ts';
import { exercise } from './image/exercise.ts';
import { grantsOf, inWords } from './image/granted.ts';
import { type Recorder, startRecorder } from './image/recorder.ts';

const usage = `usage: npm run image:check [-- --record FILE]

Does what the Dockerfile says in clean folders, starts every service of the result
with plain node against local stand-ins of AWS, sends events through all of them, and
stops them. Fails when a service does not start, answer or end with 0, when one wrote
into the image, or made a call that its role does not grant.

  --record FILE  write the calls that each service made, as JSON
`;

/** Exit codes: 0 as it should be, 1 not, 2 used wrongly. */
const exit = { good: 0, bad: 1, usage: 2 } as const;
/** Two installs take a quarter of it on a laptop. */
const allMs = 120_000;
/** Of it: until the services are ready, and until their events arrived. */
const readyMs = 30_000;
const eventsMs = 30_000;
const pollMs = 200;

const root = join(import.meta.dirname, '..');
const step = (text: string): void => void process.stderr.write(`${text}\n`);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** What each service called, in the words of the roles. */
type Calls = Readonly<Record<string, readonly string[]>>;

async function check(signal: AbortSignal): Promise<Calls> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-image-'));
  try {
    step('building');
    const image = await buildImage({ context: root, folder, signal, onStep: (text) => step(`  ${text}`) });
    // A temporary folder is closed to all but its owner, and services are not its owner.
    await chmod(folder, 0o755);
    await protect(image.folder);
    await printSizes(image);
    const before = await fingerprint(image.folder);
    const calls = await runInCloud(image, folder, signal);
    if ((await fingerprint(image.folder)) !== before) throw bad('a service wrote into the image');
    return calls;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function printSizes({ folder }: Image): Promise<void> {
  for (const part of ['node_modules', 'dist', 'flow']) {
    process.stdout.write(`${part.padEnd(13)} ${megabytes(await bytesIn(join(folder, part))).padStart(9)}\n`);
  }
  process.stdout.write(
    `${'together'.padEnd(13)} ${megabytes(await bytesIn(folder)).padStart(9)}, without the base image\n`,
  );
}

async function runInCloud(image: Image, folder: string, signal: AbortSignal): Promise<Calls> {
  step('starting the stand-ins');
  const data = join(folder, 'cloud');
  await mkdir(data);
  const cloud = await startCloud(root, data, signal);
  const recorders = await Promise.all(serviceNames.map(() => startRecorder(cloud.endpoints)));
  try {
    const recorderOf = (service: ServiceName): Recorder => {
      const found = recorders[serviceNames.indexOf(service)];
      assert(found, `${service} has no recorder`);
      return found;
    };
    await runServices(image, cloud, recorderOf, signal);
    const names = cloud.namesAt(cloud.endpoints.sqs);
    return callsOf((service) =>
      recorderOf(service)
        .calls()
        .flatMap((call) => inWords(call, names)),
    );
  } finally {
    await Promise.all(recorders.map((recorder) => recorder.close()));
    await cloud.stop();
  }
}

function callsOf(recorded: (service: ServiceName) => readonly string[]): Calls {
  const entries = serviceNames.map(
    (service) => [service, [...new Set(recorded(service))].toSorted()] as const,
  );
  return Object.fromEntries(entries);
}

async function runServices(
  image: Image,
  cloud: Cloud,
  recorderOf: (service: ServiceName) => Recorder,
  signal: AbortSignal,
): Promise<void> {
  const containers = serviceNames.map((service) =>
    startContainer(image, service, environmentOf(service, cloud, recorderOf(service).url)),
  );
  let stopped: readonly { readonly service: string; readonly code: number | null }[];
  try {
    await work(containers, recorderOf, signal);
  } finally {
    stopped = await Promise.all(
      containers.map(async ({ service, stop }) => ({ service, code: await stop() })),
    );
  }
  const wrong = stopped.filter(({ code }) => code !== 0);
  if (wrong.length > 0) {
    throw bad(
      `SIGTERM did not end ${wrong.map(({ service, code }) => `${service} (${code})`).join(', ')} with 0`,
    );
  }
  step('every service ended with 0');
}

/** Waits until all are ready, sends events, and waits until they are where they belong. */
async function work(
  containers: readonly Container[],
  recorderOf: (service: ServiceName) => Recorder,
  signal: AbortSignal,
): Promise<void> {
  const within = (ms: number): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  const readyBy = within(readyMs);
  const urls = await Promise.all(containers.map((container) => container.ready(readyBy)));
  const urlOf = (service: ServiceName): string => urls[serviceNames.indexOf(service)] ?? '';
  step(
    `${urls.length} services are ready, as ${isRoot() ? 'user 1000' : 'this user'} and without a right to write`,
  );
  await exercise(urlOf('ingest'), urlOf('query'), within(eventsMs));
  await archived(recorderOf('archiver'), within(eventsMs));
  step('events are stored, counted, archived and answered');
}

/** What ECS gives a task, with AWS at the recorder. */
function environmentOf(service: ServiceName, cloud: Cloud, url: string): Readonly<Record<string, string>> {
  return {
    ...environments(cloud.namesAt(url))[service],
    ...(service === 'archiver' ? { ARCHIVE_MAX_MS: '1000' } : {}),
    HOST: '127.0.0.1',
    PORT: '0',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL: url,
  };
}

async function archived(recorder: Recorder, signal: AbortSignal): Promise<void> {
  while (!recorder.calls().some(({ action }) => action === 'sqs:SendMessage')) {
    if (signal.aborted) throw bad('the archiver told the bus of no range in time');
    await systemClock.sleep(pollMs);
  }
}

const bad = (what: string): PlatformError => new PlatformError('image', what);

/** Prints how much of each role was seen in use, and what was called without a right. */
function judge(calls: Calls): number {
  const refused = serviceNames.flatMap((service) => {
    const granted = grantsOf(service);
    return (calls[service] ?? [])
      .filter((call) => !granted.includes(call))
      .map((call) => `${service}: ${call}`);
  });
  for (const service of serviceNames) {
    const granted = new Set(grantsOf(service).filter((grant) => grant.includes(' on ')));
    const used = (calls[service] ?? []).filter((call) => granted.has(call));
    process.stdout.write(`${service.padEnd(13)} used ${used.length} of ${granted.size} rights\n`);
  }
  for (const call of refused) process.stderr.write(`not granted to ${call}\n`);
  return refused.length > 0 ? exit.bad : exit.good;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { record: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help || positionals.length > 0) {
    process[values.help ? 'stdout' : 'stderr'].write(usage);
    return values.help ? exit.good : exit.usage;
  }
  const calls = await check(AbortSignal.timeout(allMs));
  if (values.record !== undefined) await writeFile(values.record, `${JSON.stringify(calls, null, 2)}\n`);
  return judge(calls);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`image:check: ${messageOf(error)}\n`);
  process.exitCode = error instanceof PlatformError ? exit.bad : exit.usage;
}
