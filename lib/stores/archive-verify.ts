import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { messageOf } from '../runtime/errors.ts';
import { archivePrefix, type Manifest, type ManifestObject, manifestPrefix } from './archive-layout.ts';
import { addDigests, digestText, idDigest } from './id-digest.ts';
import { type Objects, sha256 } from './objects.ts';

export interface ArchiveProblem {
  readonly key: string;
  readonly what: string;
}

export interface ArchiveReport {
  /** Every manifest follows from the one before, and every object holds what its manifest says. */
  readonly ok: boolean;
  readonly manifests: number;
  readonly objects: number;
  readonly events: number;
  readonly shards: readonly {
    readonly stream: string;
    readonly shard: string;
    readonly events: number;
    readonly up_to: string;
  }[];
  readonly problems: readonly ArchiveProblem[];
  /** Objects that no manifest names: of a range that is being written, or was never finished. */
  readonly unlisted: readonly string[];
}

export interface VerifyOptions {
  /** Only this stream, or this shard of it. */
  readonly stream?: string;
  readonly shard?: string;
  readonly onManifest?: (key: string) => void;
  readonly signal?: AbortSignal;
}

type Shard = ArchiveReport['shards'][number];

/** A manifest together with the hash of its bytes. */
interface Link {
  readonly manifest: Manifest;
  readonly sha256: string;
}

/** Reads every manifest and every object again; proves contiguity, counts and digests. */
export async function verifyArchive(objects: Objects, options: VerifyOptions = {}): Promise<ArchiveReport> {
  const { signal } = options;
  const problems: ArchiveProblem[] = [];
  const shards = new Map<string, Shard>();
  const listed = new Set<string>();
  let last: Link | undefined;
  let manifests = 0;
  for await (const key of objects.list(prefixOf(options), signal)) {
    options.onManifest?.(key);
    manifests += 1;
    const link = await readManifest(objects, key, signal);
    if ('what' in link) {
      problems.push(link);
      continue;
    }
    const { manifest } = link;
    const before = last && isSameShard(last.manifest, manifest) ? last : undefined;
    problems.push(...brokenLinks(manifest, before).map((what) => ({ key, what })));
    for (const object of manifest.objects) {
      listed.add(object.key);
      problems.push(...(await brokenObject(objects, object, signal)));
    }
    addTo(shards, manifest);
    last = link;
  }
  const unlisted = isWhole(options) ? await unlistedObjects(objects, listed, signal) : [];
  return {
    ok: problems.length === 0,
    manifests,
    objects: listed.size,
    events: [...shards.values()].reduce((sum, { events }) => sum + events, 0),
    shards: [...shards.values()],
    problems,
    unlisted,
  };
}

function prefixOf({ stream, shard }: VerifyOptions): string {
  if (stream === undefined) return manifestPrefix;
  return `${manifestPrefix}${stream}/${shard === undefined ? '' : `${shard}/`}`;
}

function isWhole({ stream }: VerifyOptions): boolean {
  return stream === undefined;
}

async function readManifest(
  objects: Objects,
  key: string,
  signal?: AbortSignal,
): Promise<Link | ArchiveProblem> {
  const bytes = await objects.get(key, signal);
  if (bytes === undefined) return { key, what: 'is gone' };
  try {
    const manifest = JSON.parse(Buffer.from(bytes).toString()) as Manifest;
    if (manifest.version !== 1) return { key, what: `has version ${String(manifest.version)}, not 1` };
    return { manifest, sha256: sha256(bytes) };
  } catch (error) {
    return { key, what: `is no manifest: ${messageOf(error)}` };
  }
}

/** `before` undefined: the first of its shard. */
function brokenLinks(manifest: Manifest, before: Link | undefined): readonly string[] {
  const expected = {
    number: (before?.manifest.number ?? 0) + 1,
    after: before?.manifest.up_to ?? null,
    previous: before?.sha256 ?? null,
    events: manifest.objects.reduce((sum, { events }) => sum + events, 0),
    digest: digestText(
      manifest.objects.reduce((sum, { digest }) => addDigests(sum, BigInt(`0x${digest}`)), 0n),
    ),
  };
  return Object.entries(expected).flatMap(([name, value]) => {
    const actual = manifest[name as keyof typeof expected];
    return actual === value
      ? []
      : `has ${name} ${String(actual)}, but ${String(value)} follows from the rest`;
  });
}

async function brokenObject(
  objects: Objects,
  object: ManifestObject,
  signal?: AbortSignal,
): Promise<readonly ArchiveProblem[]> {
  const { key } = object;
  const bytes = await objects.get(key, signal);
  if (bytes === undefined) return [{ key, what: 'is gone' }];
  if (sha256(bytes) !== object.sha256) return [{ key, what: 'has other bytes than its manifest says' }];
  try {
    const content = await gunzipAsync(bytes);
    const lines = content.toString().split('\n').slice(0, -1);
    const digest = lines.reduce((sum, line) => addDigests(sum, idDigest(idOf(line))), 0n);
    if (lines.length !== object.events)
      return [{ key, what: `has ${lines.length} events, not ${object.events}` }];
    return digestText(digest) === object.digest
      ? []
      : [{ key, what: 'has events of other ids than its digest' }];
  } catch (error) {
    return [{ key, what: `cannot be read: ${messageOf(error)}` }];
  }
}

const gunzipAsync = promisify<Uint8Array, Buffer>(gunzip);

function idOf(line: string): string {
  return String((JSON.parse(line) as { readonly id?: unknown }).id);
}

function isSameShard(a: Manifest, b: Manifest): boolean {
  return a.stream === b.stream && a.shard === b.shard;
}

function addTo(shards: Map<string, Shard>, { stream, shard, events, up_to }: Manifest): void {
  const name = `${stream}/${shard}`;
  shards.set(name, { stream, shard, up_to, events: events + (shards.get(name)?.events ?? 0) });
}

async function unlistedObjects(
  objects: Objects,
  listed: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const unlisted: string[] = [];
  for await (const key of objects.list(archivePrefix, signal)) if (!listed.has(key)) unlisted.push(key);
  return unlisted;
}
