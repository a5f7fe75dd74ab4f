import { assert } from '../../../lib/runtime/errors.ts';
import { hexOfHashKey, hexOfPartitionKey, shardOfHashKey, type RingEntry } from './hash-keys.ts';
import { openShards } from './reshard.ts';
import { COUNTER_STEP } from './sequence-number.ts';
import { ShardLog, type Batch, type Memory } from './shard-log.ts';
import { trimHorizonMs, withoutExpiredShards, type ShardState, type StreamState } from './stream-state.ts';

/** Where a stream's changes are kept. Written before the change is visible; an error here refuses the change. */
export interface StreamJournal {
  readonly writeState: (state: StreamState) => void;
  readonly writeBatch: (shardIndex: number, batch: Batch) => void;
  /** Records that arrived before `ms` will not be asked for again. */
  readonly forgetBefore: (ms: number, state: StreamState) => void;
  readonly close: () => void;
  /** Closes, and removes what was written. */
  readonly remove: () => void;
}

export const noJournal: StreamJournal = {
  writeState: () => {},
  writeBatch: () => {},
  forgetBefore: () => {},
  close: () => {},
  remove: () => {},
};

/** Trimming looks at every shard, so it is not done at each call. */
const TRIM_EVERY_MS = 1_000;

/** One stream: its state, its shards' records, and who waits for more of them. */
export class Stream {
  #journal: StreamJournal;
  readonly #memory: Memory;
  readonly #logs = new Map<number, ShardLog>();
  readonly #waiting = new Map<number, Set<() => void>>();
  #state: StreamState;
  #ring: readonly RingEntry[] = [];
  #nextCounter: number;
  #lastArrivedAtMs = 0;
  #trimmedAtMs = 0;

  constructor(state: StreamState, journal: StreamJournal, memory: Memory) {
    this.#state = state;
    this.#memory = memory;
    this.#journal = journal;
    this.#nextCounter = state.nextCounter;
    this.#apply(state);
  }

  /** The present state, with the counter of the next record. */
  get state(): StreamState {
    return this.#state.nextCounter === this.#nextCounter
      ? this.#state
      : { ...this.#state, nextCounter: this.#nextCounter };
  }

  get createdAtMs(): number {
    return this.#state.createdAtMs;
  }

  /** Replaces the state; who waits on a shard is woken, since it may have been closed. */
  change(next: (state: StreamState) => StreamState, nowMs: number): StreamState {
    const state = withoutExpiredShards(next(this.state), nowMs);
    this.#journal.writeState(state);
    this.#apply(state);
    for (const index of this.#waiting.keys()) this.#wake(index);
    return state;
  }

  log(shardIndex: number): ShardLog {
    const log = this.#logs.get(shardIndex);
    assert(log, `stream ${this.#state.name} has no log for shard ${shardIndex}`);
    return log;
  }

  shard(shardIndex: number): ShardState | undefined {
    return this.#state.shards.find((shard) => shard.index === shardIndex);
  }

  /** The open shard that takes `partitionKey`, or `explicitKey` where given. */
  route(partitionKey: string, explicitKey: bigint | undefined): number {
    const only = this.#ring[0];
    if (this.#ring.length === 1 && only) return only.shardIndex;
    const key = explicitKey === undefined ? hexOfPartitionKey(partitionKey) : hexOfHashKey(explicitKey);
    return shardOfHashKey(this.#ring, key);
  }

  takeCounter(): number {
    const counter = this.#nextCounter;
    this.#nextCounter += COUNTER_STEP;
    return counter;
  }

  /** The position behind everything that is in the stream now. */
  get latest(): number {
    return this.#nextCounter;
  }

  /** Arrival times never go back, even when the clock does: positions by time are found by binary search. */
  arrival(nowMs: number): number {
    this.#lastArrivedAtMs = Math.max(this.#lastArrivedAtMs, nowMs);
    return this.#lastArrivedAtMs;
  }

  append(shardIndex: number, batch: Batch): void {
    this.#journal.writeBatch(shardIndex, batch);
    this.log(shardIndex).append(batch);
    this.#wake(shardIndex);
  }

  /** From now on changes go to `journal`; what was restored before is in it already. */
  keepIn(journal: StreamJournal): void {
    this.#journal = journal;
  }

  restoreState(state: StreamState): void {
    this.#apply(state);
  }

  restoreBatch(shardIndex: number, batch: Batch): void {
    this.#logs.get(shardIndex)?.append(batch);
    this.#nextCounter = Math.max(this.#nextCounter, (batch.counters.at(-1) ?? 0) + COUNTER_STEP);
    this.#lastArrivedAtMs = Math.max(this.#lastArrivedAtMs, batch.arrivedAtMs);
  }

  trim(nowMs: number): void {
    if (Math.abs(nowMs - this.#trimmedAtMs) < TRIM_EVERY_MS) return;
    this.trimNow(nowMs);
  }

  trimNow(nowMs: number): void {
    this.#trimmedAtMs = nowMs;
    const horizonMs = trimHorizonMs(this.#state, nowMs);
    for (const log of this.#logs.values()) log.trimBefore(horizonMs);
    this.#journal.forgetBefore(horizonMs, this.state);
  }

  /** Calls `wake` after each change of the shard until the function returned is called. */
  watch(shardIndex: number, wake: () => void): () => void {
    const waiting = this.#waiting.get(shardIndex) ?? new Set();
    this.#waiting.set(shardIndex, waiting);
    waiting.add(wake);
    return () => {
      waiting.delete(wake);
      if (waiting.size === 0) this.#waiting.delete(shardIndex);
    };
  }

  close(): void {
    this.#journal.close();
  }

  remove(): void {
    for (const log of this.#logs.values()) log.trimBefore(Number.POSITIVE_INFINITY);
    this.#journal.remove();
  }

  #wake(shardIndex: number): void {
    for (const wake of this.#waiting.get(shardIndex) ?? []) wake();
  }

  #apply(state: StreamState): void {
    this.#state = state;
    this.#nextCounter = Math.max(this.#nextCounter, state.nextCounter);
    const indexes = new Set(state.shards.map((shard) => shard.index));
    for (const [index, log] of this.#logs) {
      if (indexes.has(index)) continue;
      log.trimBefore(Number.POSITIVE_INFINITY);
      this.#logs.delete(index);
    }
    for (const index of indexes) {
      if (!this.#logs.has(index)) this.#logs.set(index, new ShardLog(this.#memory));
    }
    this.#ring = openShards(state)
      .map((shard) => ({ shardIndex: shard.index, endHex: hexOfHashKey(BigInt(shard.endKey)) }))
      .toSorted((a, b) => (a.endHex < b.endHex ? -1 : 1));
  }
}
