import type { Tally } from '../../lib/consumer/events.ts';
import { addTallies } from '../../lib/consumer/tally.ts';
import type { Checkpoint } from '../../lib/leases/held-lease.ts';
import type { Lease } from '../../lib/leases/lease.ts';
import { type LeaseStore, wholeTable } from '../../lib/leases/lease-store.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { PlatformError } from '../../lib/runtime/errors.ts';
import type { Kinesis, ReadFrom } from '../../lib/streams/kinesis.ts';

export interface ShardStatus {
  readonly stream: string;
  readonly shard: string;
  readonly owner: string | null;
  /** A sequence number or a sentinel of the lease table. */
  readonly checkpoint: string;
  /** Nothing lies behind the checkpoint. Null: the stream could not be asked just now. */
  readonly caught_up: boolean | null;
  readonly behind_ms: number | null;
}

export interface ConsumerStatus {
  readonly consumer: string;
  readonly streams: readonly string[];
  /** Sum over its shards of what became of the records, as of their checkpoints. */
  readonly outcomes: Tally;
  readonly shards: readonly ShardStatus[];
}

export interface PlatformStatus {
  readonly as_of: string;
  /** Every consumer has a checkpoint behind the last record of every shard that it reads. */
  readonly settled: boolean;
  readonly consumers: readonly ConsumerStatus[];
}

/** One reader of streams: its lease table, and what it reads. */
export interface WatchedConsumer {
  readonly consumer: string;
  readonly leases: LeaseStore;
  readonly streams: readonly string[];
}

export interface StatusPorts {
  readonly kinesis: Kinesis;
  readonly clock: Clock;
  /** In the order events travel: then "settled upstream, then settled downstream" means settled. */
  readonly consumers: readonly WatchedConsumer[];
}

/** Answers within this time share one look at the tables: a page that many watch costs what one does. */
const freshForMs = 500;

export function statusReader(ports: StatusPorts): (signal: AbortSignal) => Promise<PlatformStatus> {
  let last: { readonly at: number; readonly status: Promise<PlatformStatus> } | undefined;
  return () => {
    const now = ports.clock.monotonic();
    if (last === undefined || now - last.at > freshForMs) {
      const status = readStatus(ports);
      last = { at: now, status };
      // A failed look is not kept.
      status.catch(() => {
        last = undefined;
      });
    }
    return last.status;
  };
}

async function readStatus(ports: StatusPorts): Promise<PlatformStatus> {
  const tips = new Tips(ports.kinesis);
  const consumers: ConsumerStatus[] = [];
  for (const consumer of ports.consumers) consumers.push(await readConsumer(consumer, tips));
  return {
    as_of: new Date(ports.clock.now()).toISOString(),
    settled: consumers.every(
      ({ shards }) => shards.length > 0 && shards.every((shard) => shard.caught_up === true),
    ),
    consumers,
  };
}

async function readConsumer(watched: WatchedConsumer, tips: Tips): Promise<ConsumerStatus> {
  const leases: Lease[] = [];
  for await (const page of watched.leases.list(wholeTable)) {
    for (const item of page) if (item.type === 'lease') leases.push(item.lease);
  }
  const shards = await Promise.all(leases.map((lease) => leaseStatus(lease, watched, tips)));
  const unleased = await Promise.all(watched.streams.map((stream) => shardsWithout(stream, shards, tips)));
  const tallies = leases.map((lease) => tallyOf(lease));
  return {
    consumer: watched.consumer,
    streams: watched.streams,
    outcomes: tallies.reduce(addTallies, {}),
    shards: [...shards, ...unleased.flat()].sort((a, b) =>
      a.stream + a.shard < b.stream + b.shard ? -1 : 1,
    ),
  };
}

async function leaseStatus(lease: Lease, watched: WatchedConsumer, tips: Tips): Promise<ShardStatus> {
  const stream = streamOf(lease, watched);
  const tip = await tips.behind(stream, lease.shardId, lease.checkpoint, lease.startAtMs);
  return {
    stream,
    shard: lease.shardId,
    owner: lease.leaseOwner ?? null,
    checkpoint:
      lease.checkpoint.type === 'POSITION' ? lease.checkpoint.sequenceNumber : lease.checkpoint.type,
    caught_up: tip.caughtUp,
    behind_ms: tip.behindMs,
  };
}

/** Multi-stream keys are `account:stream:epoch:shard`; otherwise the consumer reads one stream. */
function streamOf(lease: Lease, watched: WatchedConsumer): string {
  return lease.streamId?.split(':')[1] ?? watched.streams[0] ?? '';
}

/** Open shards that have no lease yet: nobody has read them, so nothing is settled. */
async function shardsWithout(
  stream: string,
  known: readonly ShardStatus[],
  tips: Tips,
): Promise<readonly ShardStatus[]> {
  const open = await tips.openShards(stream);
  return open
    .filter((shard) => !known.some((status) => status.stream === stream && status.shard === shard))
    .map((shard) => ({ stream, shard, owner: null, checkpoint: 'none', caught_up: false, behind_ms: null }));
}

function tallyOf(lease: Lease): Tally {
  const tally = lease.state?.['tally'];
  return (typeof tally === 'object' ? tally : {}) as Tally;
}

interface Tip {
  readonly caughtUp: boolean | null;
  readonly behindMs: number | null;
}

/**
 * What lies behind a position, asked once per shard and position in one look: consumers that are caught up
 * share their checkpoint, and a shard takes five reads a second from all its readers together.
 */
class Tips {
  readonly #kinesis: Kinesis;
  readonly #asked = new Map<string, Promise<Tip>>();
  readonly #open = new Map<string, Promise<readonly string[]>>();

  constructor(kinesis: Kinesis) {
    this.#kinesis = kinesis;
  }

  behind(
    stream: string,
    shardId: string,
    checkpoint: Checkpoint,
    startAtMs: number | undefined,
  ): Promise<Tip> {
    if (checkpoint.type === 'SHARD_END') return Promise.resolve({ caughtUp: true, behindMs: 0 });
    const from = readFrom(checkpoint, startAtMs);
    const key = JSON.stringify([stream, shardId, from]);
    const asked = this.#asked.get(key) ?? this.#ask(stream, shardId, from);
    this.#asked.set(key, asked);
    return asked;
  }

  openShards(stream: string): Promise<readonly string[]> {
    const open =
      this.#open.get(stream) ??
      this.#kinesis
        .listShards(stream, { type: 'AT_LATEST' })
        .then((shards) => shards.map((shard) => shard.shardId));
    this.#open.set(stream, open);
    return open;
  }

  async #ask(stream: string, shardId: string, from: ReadFrom): Promise<Tip> {
    try {
      const iterator = await this.#kinesis.iterator(stream, shardId, from);
      const page = await this.#kinesis.read(stream, iterator, 1);
      const caughtUp =
        page.records.length === 0 && page.millisBehindLatest === 0 && page.nextIterator !== undefined;
      return { caughtUp, behindMs: page.millisBehindLatest };
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.retryable) throw error;
      return { caughtUp: null, behindMs: null };
    }
  }
}

function readFrom(
  checkpoint: Exclude<Checkpoint, { type: 'SHARD_END' }>,
  startAtMs: number | undefined,
): ReadFrom {
  switch (checkpoint.type) {
    case 'POSITION':
      return { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: checkpoint.sequenceNumber };
    case 'SHARD_END':
    case 'TRIM_HORIZON':
      return { type: 'TRIM_HORIZON' };
    case 'LATEST':
    case 'AT_TIMESTAMP':
      return startAtMs === undefined ? { type: 'LATEST' } : { type: 'AT_TIMESTAMP', timestampMs: startAtMs };
  }
}
