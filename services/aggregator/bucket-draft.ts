import {
  type BucketKey,
  countName,
  lateBuckets,
  lateSamplesMax,
  type LateTally,
  noneLate,
  type WindowCount,
  type WindowPart,
} from '../../lib/stores/window-parts.ts';
import type { Slot } from './slot.ts';

/**
 * How large a part may become. All that write a shard at the same time (its owner, and a zombie that does not know of the
 * take-over) must have the same: that is why they are no settings. What other limits have written is taken as it is.
 */
export interface PartLimits {
  /** A part that has as many bytes of counts is full. */
  readonly countBytesMax: number;
  /** No more samples are kept in a part than have these bytes of ids. */
  readonly sampleBytesMax: number;
}

/**
 * A part is written whole at every flush that changes it: full of counts it has 3 KB compressed, with all samples some
 * 13 KB. Were nothing to shrink, JSON's quotes and the longest numbers included, it were still below DynamoDB's 400 KB.
 */
export const usualPartLimits: PartLimits = { countBytesMax: 48_000, sampleBytesMax: 16_000 };
/** Of a count as JSON beside its group: start, count, five numbers of how late. */
const countBytes = 48;

export interface CountedRecord {
  readonly id: string;
  readonly position: string;
  /** How long the window had been closed; undefined: in time. */
  readonly behindMs: number | undefined;
}

/** The parts of a bucket as they become in one batch; what it was made from stays as it is. */
export class BucketDraft {
  readonly #key: BucketKey;
  readonly #limits: PartLimits;
  readonly #parts: WindowPart[];
  /** What is this draft's own, by the number of the part. */
  readonly #own = new Map<number, OwnPart>();

  constructor(key: BucketKey, parts: readonly WindowPart[], limits: PartLimits) {
    this.#key = key;
    this.#parts = [...parts];
    this.#limits = limits;
  }

  get parts(): readonly WindowPart[] {
    return this.#parts;
  }

  /** Numbers of the parts that are not as they were. */
  get changed(): Iterable<number> {
    return this.#own.keys();
  }

  /** A part that includes the record already (it was written before a crash, the checkpoint was not) stays as it is. */
  include(slot: Slot, record: CountedRecord): void {
    const name = countName(slot);
    const number = this.#placeOf(name);
    const part = this.#parts[number] ?? this.#emptyPart(slot, number);
    if (record.position <= part.lastPosition) return;
    const own = this.#own.get(number) ?? ownPart(part);
    const count = own.counts.get(name);
    own.counts.set(name, this.#added(count ?? { ...startOf(slot), count: 0, late: noneLate }, record, own));
    if (count === undefined) own.countBytes += countBytes + Buffer.byteLength(slot.group);
    this.#own.set(number, own);
    const full = part.full || own.countBytes >= this.#limits.countBytesMax;
    this.#parts[number] = { ...part, counts: own.counts, full, lastPosition: record.position };
  }

  /** The part that has the count, else the first with room: the same one whenever the record is counted. */
  #placeOf(name: string): number {
    // Neighbours in time are neighbours in the parts.
    const at = this.#parts.findLastIndex(({ counts }) => counts.has(name));
    if (at >= 0) return at;
    const open = this.#parts.findIndex(({ full }) => !full);
    return open >= 0 ? open : this.#parts.length;
  }

  #emptyPart({ definition }: Slot, number: number): WindowPart {
    const { sizeMs, latenessMs } = definition;
    const none = { counts: new Map<string, WindowCount>(), full: false, lastPosition: '' };
    return { ...this.#key, sizeMs, latenessMs, number, ...none };
  }

  #added(count: WindowCount, { id, behindMs }: CountedRecord, own: OwnPart): WindowCount {
    if (behindMs === undefined) return { ...count, count: count.count + 1 };
    const bytes = Buffer.byteLength(id);
    const hasRoom = own.sampleBytes + bytes <= this.#limits.sampleBytesMax;
    const late = addLate(count.late, behindMs, hasRoom ? id : undefined);
    if (late.samples.length > count.late.samples.length) own.sampleBytes += bytes;
    return { ...count, late };
  }
}

interface OwnPart {
  readonly counts: Map<string, WindowCount>;
  countBytes: number;
  sampleBytes: number;
}

function ownPart(part: WindowPart): OwnPart {
  let [ofCounts, ofSamples] = [0, 0];
  for (const { group, late } of part.counts.values()) {
    ofCounts += countBytes + Buffer.byteLength(group);
    for (const id of late.samples) ofSamples += Buffer.byteLength(id);
  }
  return { counts: new Map(part.counts), countBytes: ofCounts, sampleBytes: ofSamples };
}

function startOf({ startMs, group }: Slot): Pick<WindowCount, 'startMs' | 'group'> {
  return { startMs, group };
}

function addLate(late: LateTally, behindMs: number, sample: string | undefined): LateTally {
  const found = lateBuckets.findIndex((upToMs) => behindMs < upToMs);
  const bucket = found < 0 ? lateBuckets.length : found;
  const keeps = sample !== undefined && late.samples.length < lateSamplesMax;
  return {
    count: late.count + 1,
    by: late.by.map((count, at) => (at === bucket ? count + 1 : count)),
    samples: keeps ? [...late.samples, sample] : late.samples,
  };
}
