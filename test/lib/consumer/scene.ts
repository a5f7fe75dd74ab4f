import type { DeadLetter } from '../../../lib/consumer/dead-letters.ts';
import { ByteBudget } from '../../../lib/consumer/byte-budget.ts';
import { type ShardOutcome, ShardRun } from '../../../lib/consumer/consume-shard.ts';
import type { ConsumerDiagnostic } from '../../../lib/consumer/diagnostics.ts';
import { type ConsumerOptions, consumerOptions } from '../../../lib/consumer/options.ts';
import type { ShardProcessor, ShardStart, StreamRecord } from '../../../lib/consumer/processor.ts';
import { hashRanges } from '../../../lib/consumer/shard-ranges.ts';
import type {
  Checkpoint,
  CheckpointPosition,
  ChildLease,
  HeldLease,
} from '../../../lib/leases/held-lease.ts';
import type { SavedState } from '../../../lib/leases/saved-state.ts';
import { PlatformError } from '../../../lib/runtime/errors.ts';
import { createManualClock, type ManualClock } from '../../../lib/runtime/manual-clock.ts';
import type { Position } from '../../../lib/streams/position.ts';
import type { Kinesis } from '../../../lib/streams/kinesis.ts';
import { createMemoryKinesis, type MemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';

export const stream = 'orders';
export const startMs = Date.parse('2026-11-20T10:00:00Z');

/** What a lease remembers of what was written to it. */
export interface LeaseLog {
  readonly checkpoints: { readonly upTo: CheckpointPosition; readonly state: SavedState }[];
  readonly prepared: { readonly upTo: CheckpointPosition; readonly note: Uint8Array }[];
  finished: { readonly children: readonly ChildLease[]; readonly state: SavedState } | undefined;
  bytes: number;
}

export interface TestLease {
  readonly lease: HeldLease;
  readonly log: LeaseLog;
  readonly drain: () => void;
  readonly lose: () => void;
  /** The next writes reject with this, once each. */
  readonly failures: Error[];
}

export type Taken = Partial<HeldLease['taken']>;

/** A lease without a table behind it: the other side of HeldLease, as its contract says. */
export function testLease(shardId: string, taken: Taken = {}, fence = 7): TestLease {
  const drain = new AbortController();
  const lost = new AbortController();
  const log: LeaseLog = { checkpoints: [], prepared: [], finished: undefined, bytes: 0 };
  const failures: Error[] = [];
  const verify = async (): Promise<void> => {
    await Promise.resolve();
    if (lost.signal.aborted) throw new PlatformError('lease-lost', `${shardId} is lost`);
  };
  const write = async (effect: () => void): Promise<void> => {
    await verify();
    const failure = failures.shift();
    if (failure) throw failure;
    effect();
  };
  const lease: HeldLease = {
    leaseKey: shardId,
    stream,
    shardId,
    fence,
    taken: {
      checkpoint: { type: 'TRIM_HORIZON' },
      startAtMs: undefined,
      state: undefined,
      pending: undefined,
      parents: [],
      ...taken,
    },
    drain: drain.signal,
    lost: lost.signal,
    verify,
    checkpoint: (upTo, state) => write(() => log.checkpoints.push({ upTo, state })),
    prepareCheckpoint: (upTo, note) => write(() => log.prepared.push({ upTo, note })),
    finish: (children, state) => write(() => (log.finished = { children, state })),
    observe: ({ bytes }) => {
      log.bytes += bytes;
    },
  };
  return { lease, log, drain: () => drain.abort(), lose: () => lost.abort(), failures };
}

/** Processes records by remembering them; `onProcess` may throw or wait before anything is remembered. */
export interface RecordingProcessor extends ShardProcessor {
  readonly seen: string[];
  readonly batches: string[][];
  readonly calls: string[];
  readonly starts: ShardStart[];
  readonly stopped: string[];
}

export function recorder(
  hooks: {
    readonly onProcess?: (texts: readonly string[], records: readonly StreamRecord[]) => unknown;
    readonly onFlush?: (upTo: Position) => unknown;
    readonly over?: Partial<ShardProcessor>;
  } = {},
): RecordingProcessor {
  const seen: string[] = [];
  const batches: string[][] = [];
  const calls: string[] = [];
  const starts: ShardStart[] = [];
  const stopped: string[] = [];
  return {
    seen,
    batches,
    calls,
    starts,
    stopped,
    start: async (start) => {
      starts.push(start);
    },
    process: async (records) => {
      const texts = records.map(textOf);
      batches.push(texts);
      await hooks.onProcess?.(texts, records);
      seen.push(...texts);
      calls.push('process');
    },
    flush: async (upTo) => {
      await hooks.onFlush?.(upTo);
      calls.push('flush');
      return { seen: seen.length };
    },
    stop: async (reason) => {
      stopped.push(reason);
    },
    ...hooks.over,
  };
}

export function textOf(record: StreamRecord): string {
  return new TextDecoder().decode(record.data);
}

export interface Scene {
  readonly clock: ManualClock;
  readonly kinesis: MemoryKinesis;
  readonly diagnostics: ConsumerDiagnostic[];
  readonly letters: DeadLetter[];
  readonly letterFailures: Error[];
  readonly budget: ByteBudget;
  readonly put: (...texts: readonly string[]) => Promise<readonly string[]>;
  readonly run: (lease: TestLease, processor: ShardProcessor, kinesis?: Kinesis) => Running;
  readonly types: () => readonly string[];
}

export interface Running {
  readonly run: ShardRun;
  readonly outcome: Promise<ShardOutcome>;
  readonly over: () => ShardOutcome | undefined;
}

/** One stream with one shard, a clock that is moved by hand, and everything that a shard run needs. */
export function scene(given: Partial<ConsumerOptions> & { readonly budgetBytes?: number } = {}): Scene {
  const { budgetBytes, ...options } = given;
  const clock = createManualClock({ startMs });
  const kinesis = createMemoryKinesis({ clock });
  kinesis.createStream(stream, 1);
  const diagnostics: ConsumerDiagnostic[] = [];
  const letters: DeadLetter[] = [];
  const letterFailures: Error[] = [];
  const checked = consumerOptions(options);
  const budget = new ByteBudget(budgetBytes ?? checked.bytesMax);
  const ports = {
    application: 'tests',
    kinesis,
    clock,
    random: () => 0,
    options: checked,
    budget,
    rangeOf: hashRanges(kinesis),
    deadLetters: {
      put: async (letter: DeadLetter) => {
        const failure = letterFailures.shift();
        if (failure) throw failure;
        letters.push(letter);
      },
    },
    report: (diagnostic: ConsumerDiagnostic) => void diagnostics.push(diagnostic),
  };
  const put = async (...texts: readonly string[]): Promise<readonly string[]> => {
    const entries = texts.map((text) => ({ partitionKey: text, data: new TextEncoder().encode(text) }));
    const outcomes = await kinesis.put(stream, entries);
    return outcomes.map((outcome) => (outcome.ok ? outcome.sequenceNumber : ''));
  };
  const run: Scene['run'] = (lease, processor, other = kinesis) => {
    const shard = new ShardRun(lease.lease, { ...ports, kinesis: other, processorFor: () => processor });
    let over: ShardOutcome | undefined;
    const outcome = shard.run().then((ended) => (over = ended));
    return { run: shard, outcome, over: () => over };
  };
  const types = () => diagnostics.map(({ type }) => type);
  return { clock, kinesis, diagnostics, letters, letterFailures, budget, put, run, types };
}

export const firstShard = 'shardId-000000000000';

export function at(sequenceNumber: string, subSequenceNumber = 0): Checkpoint & CheckpointPosition {
  return { type: 'POSITION', sequenceNumber, subSequenceNumber };
}
