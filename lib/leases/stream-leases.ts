import type { Shard, StreamDescription } from '../streams/kinesis.ts';
import type { ChildLease } from './held-lease.ts';
import type { Lease } from './lease.ts';

/** Where a stream that nobody has read yet is read from. */
export type InitialPosition =
  | { readonly type: 'TRIM_HORIZON' }
  | { readonly type: 'LATEST' }
  | { readonly type: 'AT_TIMESTAMP'; readonly timestampMs: number };

/**
 * `shard`: the lease key is the shard id; one stream per table. `stream`: `account:stream:epoch:shardId`, any number
 * of streams. Java's two formats; each is blind to the other's leases, so a table keeps the one it began with.
 */
export type KeyFormat = 'shard' | 'stream';

/** One stream of this application. */
export interface StreamLeases {
  readonly name: string;
  readonly streamId: string | undefined;
  readonly initial: InitialPosition;
}

export function streamLeases(
  stream: StreamDescription,
  format: KeyFormat,
  initial: InitialPosition,
): StreamLeases {
  const epoch = Math.floor(stream.createdAtMs / 1_000);
  const streamId = format === 'shard' ? undefined : `${stream.accountId}:${stream.name}:${epoch}`;
  return { name: stream.name, streamId, initial };
}

/**
 * The pin of LATEST lies this much in the past: whoever sees a lease and then puts a record finds it delivered, also
 * where the clock of the lease's creator is a little ahead of Kinesis's. A few older records do no harm.
 */
const latestSlackMs = 1_000;

/**
 * Where LATEST begins: pinned with the stream's first lease and inherited by all others, so nothing that arrives
 * after the pin is missed, whichever lease is created, lost or repaired later.
 */
export function latestPin(leases: readonly Lease[], nowMs: number): number {
  const pins = leases.flatMap((lease) => lease.startAtMs ?? []);
  return pins.length > 0 ? Math.min(...pins) : nowMs - latestSlackMs;
}

type ShardOutline = Pick<Shard, 'shardId' | 'parents' | 'startingHashKey' | 'endingHashKey'>;

/** A lease that nobody has, at the beginning of what is to be read of a shard. */
export function newLease(
  stream: StreamLeases,
  shard: ShardOutline,
  start: Pick<Lease, 'checkpoint' | 'startAtMs'>,
): Lease {
  const { streamId } = stream;
  return {
    leaseKey: streamId === undefined ? shard.shardId : `${streamId}:${shard.shardId}`,
    shardId: shard.shardId,
    streamId,
    leaseOwner: undefined,
    checkpointOwner: undefined,
    counter: 0,
    ownerSwitches: 0,
    pending: undefined,
    parents: [...shard.parents],
    children: [],
    hashRange: { start: shard.startingHashKey, end: shard.endingHashKey },
    throughputKBps: undefined,
    state: undefined,
    writeNonce: undefined,
    incarnation: undefined,
    offered: false,
    promised: false,
    given: false,
    leaver: undefined,
    replay: undefined,
    pulse: false,
    bell: undefined,
    ...start,
  };
}

/**
 * Children are read from their beginning, since their parents are read to the end. Only where reading began at a
 * time, that time holds for them too: their parents may have ended before it; not so where a replay has moved their
 * parents, perhaps to an earlier time. Such children are part of it.
 */
export function childLease(
  stream: StreamLeases,
  child: ChildLease,
  parent: Pick<Lease, 'startAtMs' | 'replay'>,
): Lease {
  const { replay, startAtMs } = parent;
  const { initial } = stream;
  const lease =
    initial.type === 'AT_TIMESTAMP' && replay === undefined
      ? newLease(stream, child, { checkpoint: { type: 'AT_TIMESTAMP' }, startAtMs: initial.timestampMs })
      : newLease(stream, child, { checkpoint: { type: 'TRIM_HORIZON' }, startAtMs });
  return { ...lease, replay };
}
