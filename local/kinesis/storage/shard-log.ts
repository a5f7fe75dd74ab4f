/** Records of one shard, in the order of their counters, rendered and ready to be sent. */
export interface Batch {
  readonly arrivedAtMs: number;
  readonly counters: readonly number[];
  /** Length of each record's fragment in `bytes`. */
  readonly lengths: readonly number[];
  /** What the service counts for each record: data before base64, and partition key. */
  readonly sizes: readonly number[];
  /** ASCII: for each record a comma and its JSON object. */
  readonly bytes: Buffer;
}

/** A piece of the log; `bytes` are the elements of a JSON array, cut anywhere between two elements. */
export interface LogPage {
  readonly parts: readonly Buffer[];
  readonly count: number;
  readonly size: number;
  /** Where to read on: just behind the last record, or `from` when there was none. */
  readonly next: number;
  readonly lastArrivedAtMs: number | undefined;
  readonly atEnd: boolean;
}

interface Segment {
  readonly buffer: Buffer;
  used: number;
  readonly counters: number[];
  readonly arrivals: number[];
  /** Where each record's fragment ends in the buffer. */
  readonly ends: number[];
  /** Sizes added up, to find how many records fit into a page without a loop. */
  readonly sizes: number[];
}

/** What all logs of an account hold together. */
export interface Memory {
  heldBytes: number;
}

const FIRST_SEGMENT_BYTES = 16 * 1024;
/** Trimming frees whole segments, so they must stay small against what a shard takes in an hour. */
const SEGMENT_BYTES_MAX = 4 * 1024 * 1024;

/**
 * The records of one shard, outside the JavaScript heap and in the form in which they are read, so that reading
 * copies nothing. Positions are counters; a reader at position p gets records with counter ≥ p.
 */
export class ShardLog {
  readonly #segments: Segment[] = [];
  /** Records of the first segment that are trimmed already. */
  #trimmed = 0;
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  append(batch: Batch): void {
    const segment = this.#roomFor(batch.bytes.length);
    batch.bytes.copy(segment.buffer, segment.used);
    let size = segment.sizes.at(-1) ?? 0;
    for (let i = 0; i < batch.counters.length; i += 1) {
      segment.used += batch.lengths[i] as number;
      size += batch.sizes[i] as number;
      segment.counters.push(batch.counters[i] as number);
      segment.arrivals.push(batch.arrivedAtMs);
      segment.ends.push(segment.used);
      segment.sizes.push(size);
    }
  }

  /** Up to `limit` records from `from` on, and up to `bytesMax` of them, though always one if there is one. */
  read(from: number, limit: number, bytesMax: number): LogPage {
    const parts: Buffer[] = [];
    const page = { count: 0, size: 0, next: from, lastArrivedAtMs: undefined as number | undefined };
    let at = this.#segmentAt(from);
    for (; at < this.#segments.length && page.count < limit; at += 1) {
      const segment = this.#segments[at] as Segment;
      const first = Math.max(lowerBound(segment.counters, from), at === 0 ? this.#trimmed : 0);
      const end = endOfPage(segment, first, limit - page.count, bytesMax - page.size, page.count === 0);
      if (end === first) break;
      parts.push(fragments(segment, first, end, page.count === 0));
      page.count += end - first;
      page.size += (segment.sizes[end - 1] as number) - (segment.sizes[first - 1] ?? 0);
      page.next = (segment.counters[end - 1] as number) + 1;
      page.lastArrivedAtMs = segment.arrivals[end - 1] as number;
      if (end < segment.counters.length) break;
    }
    return { ...page, parts, atEnd: !this.#hasFrom(page.next) };
  }

  /** The counter of the first record that arrived at `ms` or later; undefined when there is none. */
  firstArrivedFrom(ms: number): number | undefined {
    const segment = this.#segments.find((candidate) => (candidate.arrivals.at(-1) as number) >= ms);
    return segment?.counters[lowerBound(segment.arrivals, ms)];
  }

  /** Forgets every record that arrived before `ms`. */
  trimBefore(ms: number): void {
    let gone = 0;
    while (gone < this.#segments.length && (this.#segments[gone]?.arrivals.at(-1) as number) < ms) gone += 1;
    for (const segment of this.#segments.splice(0, gone)) this.#memory.heldBytes -= segment.buffer.length;
    const first = this.#segments[0];
    // A longer retention does not bring back what was trimmed before.
    const before = gone > 0 ? 0 : this.#trimmed;
    this.#trimmed = first ? Math.max(before, lowerBound(first.arrivals, ms)) : 0;
  }

  #hasFrom(position: number): boolean {
    const last = this.#segments.at(-1)?.counters.at(-1);
    return last !== undefined && last >= position;
  }

  #segmentAt(position: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#segments[middle]?.counters.at(-1) as number) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #roomFor(bytes: number): Segment {
    const last = this.#segments.at(-1);
    if (last && last.used + bytes <= last.buffer.length) return last;
    const wanted = last ? Math.min(last.buffer.length * 4, SEGMENT_BYTES_MAX) : FIRST_SEGMENT_BYTES;
    const buffer = Buffer.allocUnsafeSlow(Math.max(wanted, bytes));
    const segment = { buffer, used: 0, counters: [], arrivals: [], ends: [], sizes: [] };
    this.#segments.push(segment);
    this.#memory.heldBytes += buffer.length;
    return segment;
  }
}

/** The first index whose value is ≥ `value`. */
function lowerBound(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function endOfPage(
  segment: Segment,
  first: number,
  limit: number,
  bytesLeft: number,
  always: boolean,
): number {
  const before = segment.sizes[first - 1] ?? 0;
  const fits = lowerBound(segment.sizes, before + bytesLeft + 1);
  const least = always && first < segment.counters.length ? first + 1 : first;
  return Math.min(Math.max(fits, least), first + limit, segment.counters.length);
}

function fragments(segment: Segment, first: number, end: number, startsPage: boolean): Buffer {
  const start = segment.ends[first - 1] ?? 0;
  return segment.buffer.subarray(startsPage ? start + 1 : start, segment.ends[end - 1]);
}
