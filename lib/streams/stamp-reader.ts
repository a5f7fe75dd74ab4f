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
const formatVersion = 1n;

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
 */
export class StampReader {
  #sources: Map<string, Source>;
  #owner: object = {};
  #newestMs: number;

  private constructor(sources: Map<string, Source>, newestMs: number) {
    this.#sources = sources;
    this.#newestMs = newestMs;
  }

  /** From the bytes of `save`; throws `bad-saved-state` for any others. */
  static load(saved: Uint8Array | undefined): StampReader {
    const reader = new StampReader(new Map(), 0);
    if (saved) reader.#read(new VarintReader(saved));
    return reader;
  }

  /** Whether the record was read before; from now on it was. Constant time on average. */
  isRepeat(stamp: Stamp, arrivedAtMs: number): boolean {
    const source = this.#writable(stamp.source, arrivedAtMs);
    const key = hashable(stamp.position);
    const repeat = stamp.position <= source.floor || source.seen.has(key);
    if (!repeat) source.seen.set(key, stamp.position);
    // A floor only rises: that of a zombie may be old, which says less but nothing false.
    if (stamp.floor > source.floor) source.floor = stamp.floor;
    if (arrivedAtMs > source.heardAtMs) source.heardAtMs = arrivedAtMs;
    if (source.seen.size >= source.pruneAt) prune(source);
    return repeat;
  }

  /** A reader that goes its own way from here; what the two share is copied source by source, when it changes. */
  clone(): StampReader {
    this.#owner = {};
    return new StampReader(new Map(this.#sources), this.#newestMs);
  }

  /** Takes over what another reader knows, e.g. that of the second parent of a merged shard. */
  merge(other: StampReader): void {
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
    if (quietest !== undefined) this.#sources.delete(quietest);
  }

  #read(reader: VarintReader): void {
    const version = reader.number();
    if (version !== formatVersion) {
      throw new PlatformError(
        'bad-saved-state',
        `Stamps were saved in format ${version}, this is ${formatVersion}`,
      );
    }
    for (let left = reader.number(); left > 0n; left -= 1n) {
      const { name, ...state } = readSource(reader);
      this.#sources.set(name, { owner: this.#owner, ...state });
      this.#newestMs = Math.max(this.#newestMs, state.heardAtMs);
    }
    reader.end();
  }
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
