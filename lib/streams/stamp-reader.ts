import { assert, PlatformError } from '../runtime/errors.ts';
import type { Position } from './position.ts';
import type { Stamp } from './stamp.ts';
import { VarintReader, VarintWriter } from './varint.ts';

/** A source that has been silent for so long (by arrival times) is forgotten; so are its late copies. */
const silenceMs = 86_400_000;
/** Sources kept at most, the most recently heard: the state rides in a lease item, which has 400 KB. */
const sourcesMax = 1_000;
/** Below so many positions a set is not worth pruning. */
const pruneFrom = 256;
const formatVersion = 2n;
/** All records of one PutRecords call arrive within it: a call is given up after half of it. */
const callMs = 10_000;
/** Blind from the next record on, whenever that arrives. */
const blindFromNext = Number.POSITIVE_INFINITY;

/** An aggregate of 10 MiB has fewer user records than this: one takes at least two bytes. */
const subSequenceBits = 24n;

/**
 * The stamp position of a record that is passed on: inbound sequence number · 2^24 + sub-sequence number, so that the
 * user records of one KPL aggregate differ, in their order.
 */
export function positionOf(position: Position): bigint {
  const subSequence = BigInt(position.subSequenceNumber);
  assert(subSequence < 1n << subSequenceBits, 'a sub-sequence number has at most 24 bits');
  return (BigInt(position.sequenceNumber) << subSequenceBits) | subSequence;
}

/**
 * What to do with a copy: act on it; drop it, for it was read before; drop it, for the record before it in its call was
 * not read, so its writer puts it again, behind that one.
 */
export type Verdict = 'new' | 'repeat' | 'early';

interface Source {
  /** The reader that may change this entry; after a clone nobody may, and the first to write makes a copy. */
  readonly owner: object;
  /** Positions above the floor, by their `hashable` form. Some below it may still be there, until pruned. */
  readonly seen: Map<bigint, bigint>;
  floor: bigint;
  heardAtMs: number;
  pruneAt: number;
}

/**
 * What one reader of one shard knows of the stamps it has read: per source the highest floor and the positions above
 * it. A floor says that everything up to it lies earlier in the stream, so whatever comes later at or below it is a
 * second copy; above it the set decides. Exact for a writer's retries, replays after a crash and zombies, as long
 * as the state is saved with the checkpoint, children begin with the merged states of their parents, and a source
 * is not silent for a day between two copies.
 *
 * The same knowledge keeps each key in order: a record whose stamp names one `after` which it comes, and that one was
 * not read, is early. That is proof only for a reader that cannot have missed it. One that may have (`missed`) is
 * blind for the length of a call: it takes early records for new, since a swap can be lived with and a loss cannot.
 */
export class StampReader {
  #sources: Map<string, Source>;
  #owner: object = {};
  #newestMs: number;
  /** Nothing that arrived before it is taken for early. */
  #blindUntilMs: number;

  private constructor(sources: Map<string, Source>, newestMs: number, blindUntilMs: number) {
    this.#sources = sources;
    this.#newestMs = newestMs;
    this.#blindUntilMs = blindUntilMs;
  }

  /** From the bytes of `save`, else one that reads all there is; throws `bad-saved-state` for any other bytes. */
  static load(saved: Uint8Array | undefined): StampReader {
    const reader = new StampReader(new Map(), 0, 0);
    if (saved) reader.#read(new VarintReader(saved));
    return reader;
  }

  /** Whether the record counts; if so, from now on it was read. Constant time on average. */
  judge(stamp: Stamp, arrivedAtMs: number): Verdict {
    const source = this.#writable(stamp.source, arrivedAtMs);
    if (this.#blindUntilMs === blindFromNext) this.#blindUntilMs = arrivedAtMs + callMs;
    const verdict = verdictOf(source, stamp, arrivedAtMs < this.#blindUntilMs);
    if (verdict === 'new') source.seen.set(hashable(stamp.position), stamp.position);
    // A floor only rises: that of a zombie may be old, which says less but nothing false.
    if (stamp.floor > source.floor) source.floor = stamp.floor;
    if (arrivedAtMs > source.heardAtMs) source.heardAtMs = arrivedAtMs;
    if (source.seen.size >= source.pruneAt) prune(source);
    return verdict;
  }

  /**
   * Records of ours may lie before the next one that were not read here: reading begins in the middle of a shard, or
   * (with its arrival time) a record's stamp could not be read.
   */
  missed(arrivedAtMs?: number): void {
    const untilMs = arrivedAtMs === undefined ? blindFromNext : arrivedAtMs + callMs;
    this.#blindUntilMs = Math.max(this.#blindUntilMs, untilMs);
  }

  /** A reader that goes its own way from here; what the two share is copied source by source, when it changes. */
  clone(): StampReader {
    this.#owner = {};
    return new StampReader(new Map(this.#sources), this.#newestMs, this.#blindUntilMs);
  }

  /** Takes over what another reader knows, e.g. that of the second parent of a merged shard. */
  merge(other: StampReader): void {
    this.#blindUntilMs = Math.max(this.#blindUntilMs, other.#blindUntilMs);
    for (const [name, theirs] of other.#sources) {
      const ours = this.#writable(name, theirs.heardAtMs);
      if (theirs.floor > ours.floor) ours.floor = theirs.floor;
      if (theirs.heardAtMs > ours.heardAtMs) ours.heardAtMs = theirs.heardAtMs;
      for (const [key, position] of theirs.seen) ours.seen.set(key, position);
      prune(ours);
    }
  }

  /** Everything known, in as few bytes as exactness allows. */
  save(): Uint8Array {
    this.#forgetSilent();
    const writer = new VarintWriter();
    writer.number(formatVersion);
    // 0: blind from the next record on.
    writer.number(this.#blindUntilMs === blindFromNext ? 0n : BigInt(this.#blindUntilMs) + 1n);
    writer.number(BigInt(this.#sources.size));
    for (const [name, source] of this.#sources) writeSource(writer, name, source);
    return writer.finish();
  }

  #writable(name: string, arrivedAtMs: number): Source {
    if (arrivedAtMs > this.#newestMs) this.#newestMs = arrivedAtMs;
    const known = this.#sources.get(name);
    if (known?.owner === this.#owner) return known;
    const source: Source = {
      owner: this.#owner,
      seen: new Map(known?.seen),
      floor: known?.floor ?? 0n,
      heardAtMs: known?.heardAtMs ?? arrivedAtMs,
      pruneAt: known?.pruneAt ?? pruneFrom,
    };
    if (known) prune(source);
    this.#sources.set(name, source);
    if (!known && this.#sources.size > sourcesMax) this.#forgetQuietest(name);
    return source;
  }

  #forgetSilent(): void {
    for (const [name, source] of this.#sources) {
      if (source.heardAtMs < this.#newestMs - silenceMs) this.#sources.delete(name);
    }
  }

  #forgetQuietest(except: string): void {
    let quietest: string | undefined;
    let heardAtMs = Number.POSITIVE_INFINITY;
    for (const [name, source] of this.#sources) {
      if (name === except || source.heardAtMs >= heardAtMs) continue;
      quietest = name;
      heardAtMs = source.heardAtMs;
    }
    if (quietest === undefined) return;
    this.#sources.delete(quietest);
    this.missed(heardAtMs);
  }

  #read(reader: VarintReader): void {
    const version = reader.number();
    if (version !== formatVersion) {
      throw new PlatformError(
        'bad-saved-state',
        `Stamps were saved in format ${version}, this is ${formatVersion}`,
      );
    }
    const blind = reader.number();
    this.#blindUntilMs = blind === 0n ? blindFromNext : Number(blind - 1n);
    for (let left = reader.number(); left > 0n; left -= 1n) {
      const { name, ...state } = readSource(reader);
      this.#sources.set(name, { owner: this.#owner, ...state });
      this.#newestMs = Math.max(this.#newestMs, state.heardAtMs);
    }
    reader.end();
  }
}

function verdictOf(source: Source, { position, after }: Stamp, blind: boolean): Verdict {
  if (wasRead(source, position)) return 'repeat';
  return after === undefined || blind || wasRead(source, after) ? 'new' : 'early';
}

function wasRead(source: Source, position: bigint): boolean {
  return position <= source.floor || source.seen.has(hashable(position));
}

/**
 * V8 hashes a bigint by its lowest 64 bits, which all positions of a Kinesis shard nearly share: in one bucket, looking
 * one up would take as long as the list is. Folding the higher bits in keeps different positions different.
 */
function hashable(position: bigint): bigint {
  return position ^ (position >> 64n) ^ (position >> 128n) ^ (position >> 192n);
}

function prune(source: Source): void {
  for (const [key, position] of source.seen) if (position <= source.floor) source.seen.delete(key);
  // Twice what is left, so that a look at every position is paid for by as many new ones.
  source.pruneAt = Math.max(pruneFrom, source.seen.size * 2);
}

/**
 * Name, time, floor, then the positions above the floor as differences. Kinesis sequence numbers of a shard share
 * their low bits (and most records are sub-sequence 0), so the zero bits that all differences end with are left out.
 */
function writeSource(writer: VarintWriter, name: string, source: Source): void {
  const positions = [...source.seen.values()].filter((position) => position > source.floor);
  positions.sort((a, b) => (a < b ? -1 : 1));
  let previous = source.floor;
  const differences = positions.map((position) => {
    const difference = position - previous;
    previous = position;
    return difference;
  });
  const shift = commonZeroBits(differences);
  writer.text(name);
  writer.number(BigInt(source.heardAtMs));
  writer.number(source.floor);
  writer.number(shift);
  writer.number(BigInt(differences.length));
  for (const difference of differences) writer.number(difference >> shift);
}

function readSource(reader: VarintReader): Omit<Source, 'owner'> & { readonly name: string } {
  const name = reader.text();
  const heardAtMs = Number(reader.number());
  const floor = reader.number();
  const shift = reader.number();
  const seen = new Map<bigint, bigint>();
  let position = floor;
  for (let left = reader.number(); left > 0n; left -= 1n) {
    position += reader.number() << shift;
    seen.set(hashable(position), position);
  }
  return { name, heardAtMs, floor, seen, pruneAt: Math.max(pruneFrom, seen.size * 2) };
}

function commonZeroBits(values: readonly bigint[]): bigint {
  const union = values.reduce((all, value) => all | value, 0n);
  let bits = 0n;
  while (union !== 0n && ((union >> bits) & 1n) === 0n) bits += 1n;
  return bits;
}
