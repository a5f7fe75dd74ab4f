import type { DeadLetter } from '../../../lib/consumer/dead-letters.ts';
import type { ShardContext, ShardStart, StreamRecord } from '../../../lib/consumer/processor.ts';
import type { Lease } from '../../../lib/leases/lease.ts';
import type { SavedState } from '../../../lib/leases/saved-state.ts';
import { timingsFor } from '../../../lib/leases/timings.ts';
import { comparePositions, type Position } from '../../../lib/streams/position.ts';
import type { Law } from '../breaches.ts';
import { failoverMs, type Fleet, type SimulatedProcess } from '../fleet.ts';
import { TableLaws } from '../table-laws.ts';
import { isSettled, type PutRecord, type ShardTruth, type Truth } from './truth.ts';

const { ownMs } = timingsFor(failoverMs);

/** How many records a saved state says were done; undefined where it keeps no count. */
export type CountOf = (state: SavedState | undefined) => number | undefined;

/** Watches what a fleet of consumers does with the records that were put. */
export class Auditor {
  readonly fleet: Fleet;
  readonly truth: Truth;
  readonly table: TableLaws;
  readonly countOf: CountOf;
  /** Letters by the name of their record. */
  readonly letters = new Map<string, PutRecord>();
  /** Shards of which a loss of data was told. */
  readonly losses = new Set<string>();
  /** Per shard the last checkpoint that the table has taken. */
  readonly #checkpoints = new Map<string, Position>();
  /** By process and shard, in the order in which they began. */
  readonly #tenures = new Map<string, readonly Tenure[]>();

  constructor(fleet: Fleet, truth: Truth, countOf: CountOf) {
    this.fleet = fleet;
    this.truth = truth;
    this.countOf = countOf;
    this.table = new TableLaws(fleet.breaches, (lease) => this.#onCheckpoint(lease));
  }

  breach(law: Law, what: string): void {
    this.fleet.breaches.add(law, what);
  }

  tenure(process: SimulatedProcess, { fence, shardId, signal }: ShardContext): Tenure {
    const name = `${process.processId} ${shardId}`;
    // Calls of an earlier tenure may still be under way in the same process.
    const known = this.#tenures.get(name) ?? [];
    const tenure =
      known.find((other) => other.fence === fence) ??
      new Tenure(this, process, this.shard(shardId), fence, signal);
    if (!known.includes(tenure)) this.#tenures.set(name, [...known, tenure]);
    return tenure;
  }

  shard(shardId: string): ShardTruth {
    const shard = this.truth.shard(shardId);
    if (shard === undefined) throw new Error(`${shardId} is read, and nobody opened it`);
    return shard;
  }

  /** A letter is safely kept. */
  onLetter(letter: DeadLetter): void {
    const { data, sequenceNumber, shardId, subSequenceNumber } = letter;
    const name = `${shardId} ${sequenceNumber}.${subSequenceNumber}`;
    const record = this.shard(shardId).at({ sequenceNumber, subSequenceNumber });
    this.fleet.note(`letter of ${record?.id} at ${name}`);
    const isPoison = record?.kind === 'poison' || record?.kind === 'garbage';
    if (record === undefined || !isPoison || !sameBytes(record.data, data)) {
      return this.breach('dead letters are the poison', `${name} is ${record?.kind} ${record?.id}`);
    }
    this.letters.set(name, record);
    // Bytes that are no event are set aside as soon as they are seen, before the events around them are handled.
    if (record.kind === 'garbage') record.handled = true;
    else this.handled(record);
    record.safe = true;
  }

  handled(record: PutRecord): void {
    const missing = this.truth.handle(record);
    if (missing) this.breach('I2 in order', `${record.id} before ${missing.id}, both of ${record.key}`);
  }

  /** The process says that it has given the shard up in good order. */
  onDrained(process: SimulatedProcess, shardId: string): void {
    const last = this.#tenures.get(`${process.processId} ${shardId}`)?.at(-1)?.last();
    const saved = this.#checkpoints.get(shardId);
    if (last === undefined || (saved && comparePositions(last, saved) <= 0)) return;
    this.breach(
      'a drain saves all',
      `${process.id} ${shardId}: ${textOf(last)} was done, ${textOf(saved)} is saved`,
    );
  }

  #onCheckpoint({ checkpoint, shardId, state }: Lease): void {
    const shard = this.shard(shardId);
    const position = checkpoint.type === 'POSITION' ? checkpoint : undefined;
    if (position) this.#checkpoints.set(shardId, position);
    const upTo = position ? shard.countUpTo(position) : shard.records.length;
    const what = `${shardId} at ${position ? textOf(position) : checkpoint.type}`;
    this.fleet.note(`checkpoint of ${what}`);
    if (shard.safeUpTo() < upTo) {
      const lost = shard.records[shard.safeUpTo()];
      this.breach('I1 nothing missed', `${what}: ${lost?.id} at ${textOf(lost?.position)} is not safe`);
    }
    this.checkState(shard, upTo, state, what);
  }

  /** Nothing can be said of a shard once Kinesis has forgotten records. */
  checkState(shard: ShardTruth, upTo: number, state: SavedState | undefined, what: string): void {
    const said = this.countOf(state);
    if (said === undefined || shard.records.some(({ trimmed }) => trimmed)) return;
    const actual = shard.records.slice(0, upTo).filter(({ kind }) => kind !== 'foreign').length;
    if (said !== actual)
      this.breach('state rides with its checkpoint', `${what}: ${said} instead of ${actual}`);
  }
}

/** One acquisition of one shard, from outside: what its processor is asked to do, and what it has done. */
export class Tenure {
  readonly fence: number;
  readonly #auditor: Auditor;
  readonly #process: SimulatedProcess;
  readonly #shard: ShardTruth;
  readonly #lost: AbortSignal;
  /** All records before this index are behind this owner. */
  #next = 0;
  #last: Position | undefined;
  #unsafe: PutRecord[] = [];

  constructor(
    auditor: Auditor,
    process: SimulatedProcess,
    shard: ShardTruth,
    fence: number,
    lost: AbortSignal,
  ) {
    this.fence = fence;
    this.#auditor = auditor;
    this.#process = process;
    this.#shard = shard;
    this.#lost = lost;
  }

  /** The last record that it has done. */
  last(): Position | undefined {
    return this.#last;
  }

  started({ checkpoint, parents, state }: ShardStart): void {
    this.#next = checkpoint === undefined ? 0 : this.#shard.countUpTo(checkpoint);
    if (checkpoint !== undefined) {
      return this.#auditor.checkState(this.#shard, this.#next, state, this.#name());
    }
    for (const { shardId, state: final } of parents) {
      const parent = this.#auditor.shard(shardId);
      this.#auditor.checkState(parent, parent.records.length, final, `${this.#name()}, parent ${shardId}`);
    }
  }

  /** Something is about to be done in the name of the lease. */
  acts(doing: string): void {
    const { clock, landed } = this.#process;
    const { shardId } = this.#shard;
    const what = `${this.#name()} ${doing}`;
    if (this.#lost.aborted) this.#auditor.breach('I4 nothing after loss', `${what}: the lease is lost`);
    const overMs = clock.monotonic() - (landed.get(shardId) ?? 0) - ownMs;
    if (overMs >= 0)
      this.#auditor.breach('I4 nothing after loss', `${what}: ${overMs} ms after the deadline`);
    const last = this.#auditor.table.fenceOf(shardId);
    if (last !== this.fence) this.#auditor.breach('I5 one owner', `${what}: last taken as ${last}`);
  }

  /** Records are about to be given to the processor. */
  delivers(records: readonly StreamRecord[]): void {
    this.acts(`process ${records.length} from ${textOf(records[0]?.position)}`);
    for (const parent of this.#shard.parents) {
      if (this.#auditor.shard(parent).isSafe()) continue;
      this.#auditor.breach('I2 parents first', `${this.#name()}, before the end of ${parent}`);
    }
    let next = this.#next;
    for (const record of records) next = this.#check(record, next) + 1;
  }

  /** The processor has them: in memory at least. */
  accepts(records: readonly StreamRecord[]): void {
    for (const { position } of records) {
      const record = this.#shard.at(position);
      if (record === undefined) continue;
      this.#auditor.handled(record);
      this.#unsafe.push(record);
      this.passes(position);
    }
  }

  passes(position: Position): void {
    this.#next = this.#shard.countUpTo(position);
    this.#last = position;
  }

  /** What the processor had is durable. */
  flushed(): void {
    for (const record of this.#unsafe) record.safe = true;
    this.#unsafe = [];
  }

  /** The index of the record, which must be the next one that is for this owner. */
  #check(record: StreamRecord, from: number): number {
    const { position } = record;
    const index = this.#shard.countUpTo(position) - 1;
    const put = this.#shard.at(position);
    const what = `${this.#name()}: ${put?.id} at ${textOf(position)}`;
    if (put === undefined || index < from) this.#auditor.breach('I2 in order', `${what} again`);
    else if (put.key !== record.partitionKey || !sameBytes(put.data, record.data) || put.kind === 'foreign') {
      this.#auditor.breach('I1 nothing missed', `${what} is another record`);
    }
    for (const skipped of this.#shard.records.slice(from, index)) {
      if (skipped.kind === 'foreign' || skipped.trimmed) continue;
      this.#auditor.breach('I1 nothing missed', `${what}, and ${skipped.id} before it was left out`);
    }
    return index;
  }

  #name(): string {
    return `${this.#process.id} (fence ${this.fence}) on ${this.#shard.shardId}`;
  }
}

export function textOf(position: Position | undefined): string {
  return position === undefined
    ? 'nothing'
    : `…${position.sequenceNumber.slice(-6)}.${position.subSequenceNumber}`;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** What is left of a shard's records to be done. */
export function undone(shard: ShardTruth): PutRecord | undefined {
  return shard.records.find((record) => !isSettled(record));
}
