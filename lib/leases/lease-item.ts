import { checkpointMark, checkpointText, parseCheckpoint } from './checkpoint.ts';
import type { Checkpoint } from './held-lease.ts';
import type { Lease } from './lease.ts';
import type { SavedState } from './saved-state.ts';

/** An item as DynamoDB's document client gives and takes it; string sets are `Set`s. */
export type Item = Readonly<Record<string, unknown>>;

/** `foreign`: something else lives here (entityType of KCL 3.5). `malformed`: a lease that cannot be trusted. */
export type ParsedItem =
  | { readonly type: 'lease'; readonly lease: Lease }
  | {
      readonly type: 'foreign';
      readonly leaseKey: string;
      readonly entityType: string;
      readonly item: Item;
    }
  | { readonly type: 'malformed'; readonly leaseKey: string; readonly problems: readonly string[] };

/**
 * Reads one item. Attribute names, types and sentinels are the Java KCL's (3.5), which reads and keeps ours:
 * writeNonce, incarnation, state, stateCheckpoint, startAtMs, offer, givenAt, leaver, replay, pulse, pulseGroup, bell.
 */
export function parseItem(item: Item): ParsedItem {
  const leaseKey = typeof item.leaseKey === 'string' ? item.leaseKey : '(no leaseKey)';
  const { entityType } = item;
  if (entityType !== undefined && entityType !== 'LEASE') {
    return { type: 'foreign', leaseKey, entityType: typeof entityType === 'string' ? entityType : '?', item };
  }
  const read = createReader(item);
  const lease = readLease(read);
  return read.problems.length === 0
    ? { type: 'lease', lease }
    : { type: 'malformed', leaseKey, problems: read.problems };
}

interface Reader {
  readonly problems: string[];
  readonly text: (name: string) => string | undefined;
  readonly requiredText: (name: string) => string;
  /** A count: whole and not negative. */
  readonly count: (name: string) => number;
  readonly number: <A>(name: string, absent: A) => number | A;
  readonly texts: (name: string) => readonly string[];
  readonly value: (name: string) => unknown;
}

function createReader(item: Item): Reader {
  const problems: string[] = [];
  const text = (name: string): string | undefined => {
    const value = item[name];
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    problems.push(`${name} is not a text`);
    return undefined;
  };
  return {
    problems,
    text,
    requiredText: (name) => {
      if (item[name] === undefined) problems.push(`${name} is missing`);
      return text(name) ?? '';
    },
    count: (name) => {
      const value = item[name];
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
      problems.push(value === undefined ? `${name} is missing` : `${name} is not a whole number from 0`);
      return 0;
    },
    number: (name, absent) => {
      const value = item[name];
      if (value === undefined) return absent;
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      problems.push(`${name} is not a number`);
      return absent;
    },
    texts: (name) => {
      const value = item[name];
      if (value === undefined) return [];
      if (value instanceof Set) return [...(value as Set<unknown>)].map(String).sort();
      problems.push(`${name} is not a set of texts`);
      return [];
    },
    value: (name) => item[name],
  };
}

function readLease(read: Reader): Lease {
  const leaseKey = read.requiredText('leaseKey');
  const leaseOwner = read.text('leaseOwner');
  const checkpointOwner = read.text('checkpointOwner');
  const counter = read.count('leaseCounter');
  const checkpoint = readCheckpoint(read);
  // Stays behind when a Java worker moves the lease, so it counts only for the owner it names.
  const forOurs = leaseOwner !== undefined && read.text('offer') === leaseOwner;
  const startAtMs = read.number('startAtMs', -1);
  const incarnation = readIncarnation(read);
  return {
    leaseKey,
    ...readStream(read, leaseKey),
    leaseOwner,
    checkpointOwner,
    counter,
    ownerSwitches: read.count('ownerSwitchesSinceCheckpoint'),
    checkpoint,
    pending: readPending(read),
    parents: read.texts('parentShardId'),
    children: read.texts('childShardIds'),
    hashRange: readHashRange(read),
    throughputKBps: read.number('throughputKBps', undefined),
    startAtMs: startAtMs < 0 ? undefined : startAtMs,
    state: readState(read, checkpoint),
    writeNonce: read.text('writeNonce'),
    incarnation,
    offered: forOurs && checkpointOwner === undefined,
    promised: forOurs && checkpointOwner !== undefined,
    // Any write of the new owner moves the counter.
    given: !forOurs && leaseOwner !== undefined && read.number('givenAt', -1) === counter,
    leaver: read.text('leaver'),
    replay: read.text('replay'),
    // Whoever takes the lease without knowing of pulses leaves the attribute behind.
    pulse: incarnation !== undefined && read.text('pulse') === incarnation,
    bell: read.text('bell'),
  };
}

function readStream(read: Reader, leaseKey: string): Pick<Lease, 'shardId' | 'streamId'> {
  const streamId = read.text('streamName');
  const shardId = read.text('shardId');
  if (streamId === undefined && shardId === undefined && !leaseKey.includes(':')) {
    return { streamId: undefined, shardId: leaseKey };
  }
  if (`${streamId}:${shardId}` !== leaseKey) {
    read.problems.push('leaseKey, streamName and shardId do not agree');
  }
  return { streamId, shardId: shardId ?? leaseKey };
}

function readCheckpoint(read: Reader): Checkpoint {
  const text = read.requiredText('checkpoint');
  const checkpoint = parseCheckpoint(text, read.count('checkpointSubSequenceNumber'));
  if (checkpoint !== undefined) return checkpoint;
  read.problems.push(`checkpoint "${text.slice(0, 40)}" is neither a sequence number nor a sentinel`);
  return { type: 'TRIM_HORIZON' };
}

/** Java may prepare a sentinel too (at the end of a shard); there is no range to repeat then. */
function readPending(read: Reader): Lease['pending'] {
  const text = read.text('pendingCheckpoint');
  if (text === undefined) return undefined;
  const checkpoint = parseCheckpoint(text, read.number('pendingCheckpointSubSequenceNumber', 0));
  if (checkpoint === undefined) read.problems.push('pendingCheckpoint is not a checkpoint');
  if (checkpoint?.type !== 'POSITION') return undefined;
  const note = read.value('pendingCheckpointState');
  return { checkpoint, note: note instanceof Uint8Array ? note : new Uint8Array() };
}

/** `worker/process`; left behind by us when Java takes the lease, so it counts only for the owner it names. */
function readIncarnation(read: Reader): string | undefined {
  const owner = read.text('checkpointOwner') ?? read.text('leaseOwner');
  const incarnation = read.text('incarnation');
  return owner !== undefined && incarnation?.startsWith(`${owner}/`) === true ? incarnation : undefined;
}

function readHashRange(read: Reader): Lease['hashRange'] {
  const start = read.text('startingHashKey');
  const end = read.text('endingHashKey');
  if (start === undefined || end === undefined) return undefined;
  if (/^\d{1,39}$/.test(start) && /^\d{1,39}$/.test(end)) return { start, end };
  read.problems.push('startingHashKey or endingHashKey is not a decimal number');
  return undefined;
}

/** A Java worker moves `checkpoint` and keeps our attributes: state is ours only where its mark still fits. */
function readState(read: Reader, checkpoint: Checkpoint): SavedState | undefined {
  const state = read.value('state');
  if (state === undefined || read.text('stateCheckpoint') !== checkpointMark(checkpoint)) return undefined;
  if (typeof state === 'object' && state !== null && !Array.isArray(state)) return state as SavedState;
  read.problems.push('state is not a map');
  return undefined;
}

/** Attributes of the checkpoint itself, and of the state that is true at it. */
export function checkpointAttributes(checkpoint: Checkpoint, state: SavedState | undefined): Item {
  const { text, sub } = checkpointText(checkpoint);
  return {
    checkpoint: text,
    checkpointSubSequenceNumber: sub,
    ...(state === undefined ? {} : { state, stateCheckpoint: checkpointMark(checkpoint) }),
  };
}

/**
 * The whole item of a lease, for the two writes that create one. Sets and texts are never written empty; the
 * pending checkpoint is left out, as Java's own create does, since a created lease has none.
 */
export function formatItem(lease: Lease): Item {
  const item = {
    leaseKey: lease.leaseKey,
    entityType: 'LEASE',
    leaseOwner: lease.leaseOwner,
    leaseCounter: lease.counter,
    ownerSwitchesSinceCheckpoint: lease.ownerSwitches,
    ...checkpointAttributes(lease.checkpoint, lease.state),
    parentShardId: lease.parents.length > 0 ? new Set(lease.parents) : undefined,
    childShardIds: lease.children.length > 0 ? new Set(lease.children) : undefined,
    startingHashKey: lease.hashRange?.start,
    endingHashKey: lease.hashRange?.end,
    startAtMs: lease.startAtMs,
    streamName: lease.streamId,
    shardId: lease.streamId === undefined ? undefined : lease.shardId,
    writeNonce: lease.writeNonce,
    incarnation: lease.incarnation,
    replay: lease.replay,
  };
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined));
}
