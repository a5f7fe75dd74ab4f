import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { backoffMs } from '../runtime/retry.ts';
import type { ChildShard, Kinesis, RawRecord, ReadFrom } from '../streams/kinesis.ts';
import { compareSequenceNumbers } from '../streams/position.ts';
import type { BudgetShare, Grant } from './byte-budget.ts';
import type { ShardDiagnostic } from './diagnostics.ts';
import { ShardStopped } from './failures.ts';
import { endlessBackoff, type ConsumerOptions } from './options.ts';
import type { PageQueue } from './page-queue.ts';
import { sizeOf } from './page-size.ts';

/** What every way of reading a shard needs. */
export interface ReadPorts {
  readonly kinesis: Kinesis;
  readonly clock: Clock;
  readonly random: () => number;
  readonly options: ConsumerOptions;
  readonly application: string;
  readonly stream: string;
  readonly shardId: string;
  readonly share: BudgetShare;
  readonly queue: PageQueue;
  readonly report: (diagnostic: ShardDiagnostic) => void;
}

/** Where reading starts. `readThroughMs`: everything that arrived before was read when `last` was checkpointed. */
export interface ReadStart {
  readonly from: ReadFrom;
  readonly last: string | undefined;
  readonly readThroughMs: number | undefined;
}

export type ReadEnd =
  | { readonly type: 'end'; readonly children: readonly ChildShard[] }
  | { readonly type: 'stopped' }
  | { readonly type: 'aborted' };

/** Trimming is not exact to the minute: what is younger by this much has surely not been trimmed. */
const retentionSlackMs = 10 * 60_000;

/**
 * How far a shard was read, whichever way. Every iterator or subscription starts AT the last record that was read
 * and not after it: if that record is not the first one to come back, it was trimmed, and others may have been.
 * The record that comes twice is dropped where positions are compared (user-records.ts).
 */
export class ReadSession {
  readonly ports: ReadPorts;
  #from: ReadFrom;
  #last: string | undefined;
  #readThroughMs: number | undefined;
  #unproven = false;
  /** Ends in a row that named no children. */
  #bareEnds = 0;
  #refused: { readonly after: string | undefined } | undefined;

  constructor(ports: ReadPorts, start: ReadStart) {
    this.ports = ports;
    this.#from = start.from;
    this.#last = start.last;
    this.#readThroughMs = start.readThroughMs;
  }

  /** Where a new iterator or subscription begins. */
  open(): ReadFrom {
    if (this.#last === undefined) return this.#first();
    this.#unproven = true;
    return { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: this.#last };
  }

  /** LATEST means another place each time: opened again before the first record, it is the time of the first time. */
  #first(): ReadFrom {
    const from = this.#from;
    if (from.type === 'LATEST') this.#from = { type: 'AT_TIMESTAMP', timestampMs: this.ports.clock.now() };
    return from;
  }

  /** A subscription goes on behind its last one: nothing can have been trimmed in between. */
  continueAfter(sequenceNumber: string): ReadFrom {
    return { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber };
  }

  /** Hands a page to the loop, with the grant that pays for it. False: reading stops here (data loss). */
  async accept(
    read: {
      readonly records: readonly RawRecord[];
      readonly lagMs: number;
      readonly readAtMs: number;
      readonly isEnd: boolean;
    },
    grant: Grant,
  ): Promise<boolean> {
    const first = read.records[0]?.sequenceNumber;
    // An empty page shows that something is missing only where it says that nothing is left. Of ends see `ends`.
    const tells = first !== undefined || (read.lagMs === 0 && !read.isEnd);
    if (tells && !(await this.#nothingMissing(first))) {
      grant.release();
      return false;
    }
    this.#last = read.records.at(-1)?.sequenceNumber ?? this.#last;
    if (!this.#unproven) this.#readThroughMs = read.readAtMs - read.lagMs;
    if (!read.isEnd) this.#bareEnds = 0;
    const { isEnd: _, ...page } = read;
    const size = sizeOf(read.records);
    this.ports.queue.page({ ...page, ...size, readThroughMs: this.#readThroughMs }, grant);
    return true;
  }

  /** Kinesis refused the position: trimmed, or of a stream that was since deleted and made anew. */
  refused(): boolean {
    if (this.#last === undefined) return true;
    this.#refused = { after: this.#last };
    this.#from = { type: 'TRIM_HORIZON' };
    this.#last = undefined;
    // What comes next does not follow that record: it is the loss, not a second one.
    this.#unproven = false;
    return this.ports.options.dataLoss === 'continue' || this.#loss(this.#refused.after, undefined);
  }

  /** Behind without progress: where the lag says that the position is trimmed, reading restarts at the horizon. */
  async stalled(lagMs: number, forMs: number): Promise<boolean> {
    this.ports.report({ type: 'progress-stalled', lagMs, forMs });
    const trimmed = lagMs >= (await this.#retentionMs()) - retentionSlackMs;
    return trimmed ? this.refused() : true;
  }

  /**
   * The shard is said not to exist. Believed only where the list of shards agrees: a child that was just made may
   * not be known everywhere yet. Undefined: it does exist.
   */
  async gone(signal: AbortSignal): Promise<ReadEnd | undefined> {
    const { kinesis, shardId, stream } = this.ports;
    const shards = await kinesis.listShards(stream, undefined, signal);
    if (shards.some((shard) => shard.shardId === shardId)) return undefined;
    if ((await this.#lossPossible()) && !this.#loss(this.#last, undefined)) return { type: 'stopped' };
    return { type: 'end', children: shards.filter((shard) => shard.parents.includes(shardId)) };
  }

  /**
   * The children of a shard whose end was just read; none: read it again. An end that names no children may be a hiccup
   * in the middle of a closed shard (the Java KCL asks again too). There are services that never name them, so the
   * second such end in a row is believed, where the list of shards knows the children.
   */
  async childrenAtEnd(named: readonly ChildShard[], signal: AbortSignal): Promise<readonly ChildShard[]> {
    if (named.length > 0) return named;
    this.#bareEnds += 1;
    if (this.#bareEnds < 2) return [];
    const { kinesis, stream, shardId } = this.ports;
    const later = await kinesis.listShards(stream, { type: 'AFTER_SHARD_ID', shardId }, signal);
    return later.filter((shard) => shard.parents.includes(shardId));
  }

  /** The shard ends here. False: reading stops, because what is missing was trimmed. */
  ends(): Promise<boolean> {
    return this.#nothingMissing(undefined);
  }

  pauseMs(attempt: number): number {
    return backoffMs(endlessBackoff(this.ports.options), attempt, this.ports.random());
  }

  /** `first`: the first record that came back; undefined where nothing did, and nothing is left to come. */
  async #nothingMissing(first: string | undefined): Promise<boolean> {
    if (this.#refused) {
      const { after } = this.#refused;
      this.#refused = undefined;
      return this.#loss(after, first);
    }
    const expected = this.#unproven ? this.#last : undefined;
    this.#unproven = false;
    const isThere =
      first !== undefined && expected !== undefined && compareSequenceNumbers(first, expected) <= 0;
    if (expected === undefined || isThere) return true;
    return (await this.#lossPossible()) ? this.#loss(expected, first) : true;
  }

  /** A quiet shard's last record is trimmed in the end, and nothing is lost by it if all was read by then. */
  async #lossPossible(): Promise<boolean> {
    if (this.#readThroughMs === undefined) return true;
    const horizonMs = this.ports.clock.now() - (await this.#retentionMs());
    return this.#readThroughMs < horizonMs + retentionSlackMs;
  }

  async #retentionMs(): Promise<number> {
    const { kinesis, stream, report } = this.ports;
    try {
      return (await kinesis.describe(stream)).retentionHours * 3_600_000;
    } catch (error) {
      const message = `retention of ${stream} unknown, 24 hours assumed: ${messageOf(error)}`;
      report({ type: 'read-failed', attempt: 1, failure: { code: 'describe-failed', message } });
      return 24 * 3_600_000;
    }
  }

  #loss(after: string | undefined, before: string | undefined): boolean {
    const { options, queue, report, shardId, stream } = this.ports;
    report({ type: 'data-loss', after, before });
    if (options.dataLoss === 'continue') return true;
    const message = `Records of ${stream}/${shardId} after ${after} were trimmed unread; set dataLoss to 'continue' to go on`;
    queue.push({ type: 'failed', error: new ShardStopped('data-loss', message) });
    return false;
  }
}
