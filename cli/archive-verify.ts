import { NoSuchBucket, S3Client } from '@aws-sdk/client-s3';
import { messageOf, nameOf, PlatformError } from '../lib/runtime/errors.ts';
import { type ArchiveReport, verifyArchive } from '../lib/stores/archive-verify.ts';
import { createS3Objects } from '../lib/stores/objects.ts';
import { defineCommand, exitCode } from './command.ts';
import { count, type Output, table } from './output.ts';
import { UsageError } from './parse.ts';

/** What `weir local` has at its usual ports. */
const localBucket = 'weir-local-lake';
const localEndpoint = 'http://127.0.0.1:4504';
/** A report for people names so many problems; `--json` has them all. */
const shownMax = 20;

export const archiveVerify = defineCommand({
  path: ['archive', 'verify'],
  summary: 'reads the archive again and proves that nothing is missing, twice or changed',
  positionals: [],
  options: {
    bucket: { kind: 'text', value: 'NAME', what: `the lake, default ${localBucket} of weir local` },
    endpoint: { kind: 'text', value: 'URL', what: "of S3, default the region's; weir local has its own" },
    region: { kind: 'text', value: 'NAME', what: 'default $AWS_REGION or eu-central-1' },
    stream: { kind: 'text', value: 'NAME', what: 'only what came from this stream' },
    shard: { kind: 'text', value: 'ID', what: 'only this shard of it' },
  },
  examples: ['weir archive verify', 'weir archive verify --bucket prod-lake --stream prod-store --json'],
  run: async ({ given, output, signal }) => {
    const { bucket = localBucket, shard, stream } = given;
    if (shard !== undefined && stream === undefined) throw new UsageError('--shard needs --stream');
    const client = lakeClient(given);
    try {
      const report = await verify(client, bucket, { stream, shard }, output, signal);
      output.result(report, () => render(report));
      return report.ok ? exitCode.ok : exitCode.checkFailed;
    } catch (error) {
      if (signal.aborted) return exitCode.interrupted;
      throw explained(error, bucket);
    } finally {
      client.destroy();
    }
  },
});

function lakeClient(given: Readonly<Record<'bucket' | 'endpoint' | 'region', string | undefined>>): S3Client {
  const region = given.region ?? process.env['AWS_REGION'] ?? 'eu-central-1';
  const local = given.bucket === undefined;
  const endpoint = given.endpoint ?? (local ? localEndpoint : undefined);
  const credentials = local ? { accessKeyId: 'local', secretAccessKey: 'local' } : undefined;
  return new S3Client({
    region,
    // Bytes that S3 itself finds changed are a finding like any other, not the end of the check.
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint && { endpoint }),
    ...(credentials && { credentials }),
  });
}

async function verify(
  client: S3Client,
  bucket: string,
  only: { readonly stream: string | undefined; readonly shard: string | undefined },
  output: Output,
  signal: AbortSignal,
): Promise<ArchiveReport> {
  const progress = output.progress('manifests');
  const { stream, shard } = only;
  const report = await verifyArchive(createS3Objects(client, bucket), {
    ...(stream !== undefined && { stream }),
    ...(shard !== undefined && { shard }),
    onManifest: () => progress.add(1),
    signal,
  });
  progress.end();
  return report;
}

function render(report: ArchiveReport): string {
  const { events, manifests, objects, problems, shards, unlisted } = report;
  const columns = [{ title: 'STREAM' }, { title: 'SHARD' }, { title: 'EVENTS', align: 'right' }] as const;
  const rows = shards.map((shard) => [shard.stream, shard.shard, count(shard.events)]);
  const lines = problems.slice(0, shownMax).map(({ key, what }) => `${key}\n  ${what}`);
  const more = problems.length - lines.length;
  const sum = `${count(events)} events in ${count(objects)} objects of ${count(manifests)} manifests`;
  return [
    table(columns, rows),
    ...lines,
    ...(more > 0 ? [`… and ${count(more)} more: --json has them all`] : []),
    ...(unlisted.length > 0 ? [`${count(unlisted.length)} objects of ranges that are not finished`] : []),
    report.ok ? `proven: ${sum}` : `NOT PROVEN: ${count(problems.length)} problems, ${sum}`,
  ].join('\n');
}

function explained(error: unknown, bucket: string): unknown {
  const name = nameOf(error);
  if (error instanceof NoSuchBucket || name === 'NoSuchBucket') {
    return new PlatformError('not-found', `There is no bucket ${bucket}: name the lake with --bucket`);
  }
  if (name === 'AccessDenied' || name === 'CredentialsProviderError') {
    return new PlatformError('access-denied', `${bucket}: ${messageOf(error)}`, { cause: error });
  }
  if (/ECONNREFUSED/.test(`${name} ${messageOf(error)}`)) {
    const message = `S3 does not answer (${messageOf(error)}): start "weir local", or name a lake with --bucket`;
    return new PlatformError('unreachable', message, { retryable: true, cause: error });
  }
  return error;
}
