import type { HeldLease } from '../leases/held-lease.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ChildShard, Kinesis } from '../streams/kinesis.ts';
import type { Position } from '../streams/position.ts';
import type { ByteBudget } from './byte-budget.ts';
import { Checkpoints } from './checkpoints.ts';
import type { DeadLetters } from './dead-letters.ts';
import { Delivery } from './delivery.ts';
import type { ConsumerDiagnostic, ShardDiagnostic } from './diagnostics.ts';
import { type Failure, failureKind, failureOf, Lost, ShardStopped } from './failures.ts';
import type { ConsumerOptions } from './options.ts';
import { type Page, PageQueue, type ReadItem } from './page-queue.ts';
import type { ShardContext, ShardProcessor, StreamRecord } from './processor.ts';
import { ReadSession, type ReadStart } from './read-session.ts';
import { readThroughOf } from './read-through.ts';
import { readShard } from './shard-reader.ts';
import type { HashRangeOf } from './shard-ranges.ts';
import { contextOf, describeCheckpoint, positionOf, readFrom, startOf } from './shard-start.ts';
import { aborted, Steps, withEither } from './steps.ts';
import { userRecords } from './user-records.ts';

export interface ShardPorts {
  readonly application: string;
  readonly kinesis: Kinesis;
  readonly clock: Clock;
  readonly random: () => number;
  readonly options: ConsumerOptions;
  readonly budget: ByteBudget;
  readonly rangeOf: HashRangeOf;
  readonly deadLetters: DeadLetters;
  readonly processorFor: (stream: string, shardId: string) => ShardProcessor;
  readonly report: (diagnostic: ConsumerDiagnostic) => void;
}

export type ShardOutcome = 'drained' | 'shard-end' | 'lost';

export interface ShardStatus {
  readonly stream: string;
  readonly shardId: string;
  readonly fence: number;
  readonly state: 'starting' | 'reading' | 'stopped' | ShardOutcome;
  /** Why it is stopped. */
  readonly failure: Failure | undefined;
  readonly position: Position | undefined;
  /** MillisBehindLatest of the last page that was handled; undefined before the first. */
  readonly lagMs: number | undefined;
}

const idleMs = 1_000;
const stopMs = 5_000;
/** Longest wait without a look around; nothing is missed by it. */
const lookMs = 60_000;

/** One acquisition of one shard, from its lease to the end of it: read, deliver, checkpoint. */
export class ShardRun {
  readonly #lease: HeldLease;
  readonly #ports: ShardPorts;
  readonly #context: ShardContext;
  readonly #processor: ShardProcessor;
  readonly #steps: Steps;
  readonly #checkpoints: Checkpoints;
  readonly #delivery: Delivery;
  readonly #queue: PageQueue;
  readonly #recordsOf: ReturnType<typeof userRecords>;
  readonly #reading = new AbortController();
  #reader: Promise<void> = Promise.resolve();
  #state: ShardStatus['state'] = 'starting';
  #failure: Failure | undefined;
  #lagMs: number | undefined;
  #idleAtMs = Number.NEGATIVE_INFINITY;

  constructor(lease: HeldLease, ports: ShardPorts) {
    const { drain, lost, shardId, stream, verify } = lease;
    const { clock, options, random } = ports;
    const report = this.#report;
    this.#lease = lease;
    this.#ports = ports;
    this.#context = contextOf(lease);
    this.#processor = ports.processorFor(stream, shardId);
    this.#steps = new Steps({ clock, random, options, drain, lost, verify, report });
    this.#queue = new PageQueue(options.prefetchPagesMax);
    const after = positionOf(lease.taken.checkpoint);
    const own = { processor: this.#processor, context: this.#context, steps: this.#steps, report };
    this.#checkpoints = new Checkpoints({ ...own, lease, clock, options }, after);
    const advance = (record: StreamRecord): void => this.#checkpoints.advance(record.position);
    const { application, deadLetters } = ports;
    this.#delivery = new Delivery({ ...own, application, options, deadLetters, lease, advance });
    const range = () => ports.rangeOf(stream, shardId);
    this.#recordsOf = userRecords({ stream, shardId, after, range, report });
  }

  status(): ShardStatus {
    const { fence, shardId, stream } = this.#lease;
    const position = this.#checkpoints.position;
    return {
      stream,
      shardId,
      fence,
      state: this.#state,
      failure: this.#failure,
      position,
      lagMs: this.#lagMs,
    };
  }

  /** Resolves when the acquisition is over. Rejects only with what should not happen, a broken invariant first. */
  async run(): Promise<ShardOutcome> {
    const { fence, taken } = this.#lease;
    this.#report({ type: 'shard-started', from: describeCheckpoint(taken.checkpoint), fence });
    let outcome: ShardOutcome = 'lost';
    try {
      outcome = await this.#read();
      return outcome;
    } finally {
      this.#state = outcome;
      await this.#stopReading();
      await this.#stopProcessor(outcome);
      this.#report({ type: 'shard-finished', outcome });
    }
  }

  async #read(): Promise<ShardOutcome> {
    try {
      const start = startOf(this.#lease);
      const begin = () => this.#processor.start(start, this.#context);
      if ((await this.#steps.runUntilDrain('start', begin)) === undefined) return 'drained';
      this.#state = 'reading';
      this.#reader = readShard(this.#session(), this.#reading.signal);
      return await this.#loop();
    } catch (error) {
      await this.#stopReading();
      if (error instanceof ShardStopped) return this.#wait(error);
      if (error instanceof Lost) return 'lost';
      throw error;
    }
  }

  async #loop(): Promise<ShardOutcome> {
    const { drain } = this.#lease;
    while (!drain.aborted) {
      const outcome = await this.#step();
      if (outcome !== undefined) return outcome;
      if (!drain.aborted) await this.#checkpoints.saveIfDue();
    }
    await this.#stopReading();
    await this.#checkpoints.saveAll();
    return 'drained';
  }

  /** One page or end. Of its own, because a loop that waits for the next page would hold the last one in memory. */
  async #step(): Promise<ShardOutcome | undefined> {
    const item = await this.#next();
    if (item?.type === 'failed') throw item.error;
    if (item?.type === 'end') return this.#end(item.children);
    if (item?.type === 'page') await this.#handle(item.page).finally(item.release);
    return undefined;
  }

  async #end(children: readonly ChildShard[]): Promise<ShardOutcome> {
    await this.#checkpoints.finish((state) => this.#lease.finish(children, state));
    return 'shard-end';
  }

  /** The next page or end; undefined when a checkpoint is due or the drain began. */
  async #next(): Promise<ReadItem | undefined> {
    const { drain, lost } = this.#lease;
    const dueMs = Math.max(0, Math.min(lookMs, this.#checkpoints.dueInMs()));
    const wait = (signal: AbortSignal): Promise<void> =>
      Promise.race([this.#queue.filled(signal), this.#ports.clock.sleep(dueMs, signal)]);
    if (this.#queue.isEmpty) await this.#steps.guard(withEither([drain, lost], wait));
    return drain.aborted ? undefined : this.#queue.take();
  }

  async #handle(page: Page): Promise<void> {
    const { drain } = this.#lease;
    const { batchRecordsMax } = this.#ports.options;
    const [first] = page.records;
    const last = page.records.at(-1) ?? first;
    if (first !== undefined && last !== undefined)
      this.#lease.observe({ bytes: page.bytes, fromMs: first.arrivedAtMs, toMs: last.arrivedAtMs });
    const records = await this.#steps.run('user-records', () => this.#recordsOf(page.records));
    for (let at = 0; at < records.length; at += batchRecordsMax) {
      const delivered = await this.#delivery.deliver(records.slice(at, at + batchRecordsMax));
      if (drain.aborted || delivered === 'interrupted') return;
      await this.#checkpoints.saveIfDue();
    }
    this.#lagMs = page.lagMs;
    this.#checkpoints.readThrough(page.readThroughMs);
    if (records.length === 0 && page.lagMs === 0) await this.#idle(page.readAtMs);
  }

  async #idle(readAtMs: number): Promise<void> {
    const nowMs = this.#ports.clock.monotonic();
    if (this.#processor.idle === undefined || nowMs - this.#idleAtMs < idleMs) return;
    this.#idleAtMs = nowMs;
    try {
      await this.#steps.guard(this.#lease.verify());
      await this.#steps.guard(this.#processor.idle(readAtMs, this.#context));
    } catch (error) {
      if (failureKind(error) === 'final') throw error;
      this.#report({
        type: 'step-failed',
        step: 'idle',
        attempt: 1,
        failure: failureOf(error, 'idle-failed'),
      });
    }
  }

  /** Holds the stopped shard: given back, it would only stop at a peer. What was done before is kept. */
  async #wait(stopped: ShardStopped): Promise<ShardOutcome> {
    const { drain, lost } = this.#lease;
    this.#state = 'stopped';
    this.#failure = failureOf(stopped, 'stopped');
    this.#report({ type: 'shard-stopped', failure: this.#failure });
    try {
      await this.#checkpoints.saveDone();
    } catch (error) {
      if (error instanceof Lost) return 'lost';
      if (!(error instanceof ShardStopped)) throw error;
      this.#report({ type: 'checkpoint-failed', failure: failureOf(error, 'stopped') });
    }
    await withEither([drain, lost], aborted);
    return lost.aborted ? 'lost' : 'drained';
  }

  /** Nothing is read or held in memory after this. */
  async #stopReading(): Promise<void> {
    this.#reading.abort();
    this.#queue.close();
    await this.#reader;
  }

  async #stopProcessor(outcome: ShardOutcome): Promise<void> {
    const waiting = new AbortController();
    const tooLong = this.#ports.clock.sleep(stopMs, waiting.signal);
    try {
      await Promise.race([this.#processor.stop?.(outcome), tooLong]);
    } catch (error) {
      this.#report({
        type: 'step-failed',
        step: 'stop',
        attempt: 1,
        failure: failureOf(error, 'stop-failed'),
      });
    } finally {
      waiting.abort();
    }
  }

  #session(): ReadSession {
    const { application, budget, clock, kinesis, options, random } = this.#ports;
    const { shardId, stream, taken } = this.#lease;
    const ports = { application, clock, kinesis, options, random, shardId, stream, report: this.#report };
    const start: ReadStart = {
      from: readFrom(taken),
      last: positionOf(taken.checkpoint)?.sequenceNumber,
      readThroughMs: readThroughOf(taken.state),
    };
    return new ReadSession({ ...ports, share: budget.share(), queue: this.#queue }, start);
  }

  readonly #report = (diagnostic: ShardDiagnostic): void => {
    const { shardId, stream } = this.#lease;
    this.#ports.report({ stream, shardId, ...diagnostic });
  };
}
