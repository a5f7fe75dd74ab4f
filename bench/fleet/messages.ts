import type { ConsumerOptions } from '../../lib/consumer/options.ts';
import type { CoordinatorOptions } from '../../lib/leases/coordinator.ts';
import type { CallCounts } from './call-counts.ts';

/** What a worker process is started with, as JSON in its first argument. */
export interface WorkerSettings {
  readonly workerId: string;
  readonly stream: string;
  readonly kinesisUrl: string;
  readonly dynamodbUrl: string;
  readonly table: string;
  /** Time that the handler spends on one record. */
  readonly handlerMs: number;
  /** `each`: every batch is told with its sequence numbers; `count`: only how many there were. */
  readonly tell: 'each' | 'count';
  /** Tells `usage` as soon as so many records were handled. */
  readonly usageAtRecords?: number;
  readonly options?: Partial<ConsumerOptions>;
  readonly leases?: CoordinatorOptions;
}

/** What a worker process did by now. */
export interface Usage {
  readonly records: number;
  readonly bytes: number;
  /** Since the consumer began to run, user and system. */
  readonly cpuMs: number;
  /** Since the process began: what it takes to start and to load is in it. */
  readonly processCpuMs: number;
  /** The last three quarters of `usageAtRecords` alone: by then everything is compiled. */
  readonly warm?: { readonly records: number; readonly bytes: number; readonly cpuMs: number };
  /** The most that the process ever had in memory. */
  readonly peakBytes: number;
  readonly calls: CallCounts;
}

/** Times are of the machine's monotonic clock (clock.ts), so those of different processes compare. */
export type WorkerMessage =
  | { readonly type: 'running'; readonly atMs: number }
  | {
      readonly type: 'delivered';
      readonly atMs: number;
      readonly shardId: string;
      readonly sequenceNumbers: readonly string[];
    }
  | { readonly type: 'shard'; readonly atMs: number; readonly shardId: string; readonly holds: boolean }
  | { readonly type: 'lease-lost'; readonly atMs: number; readonly leaseKey: string; readonly reason: string }
  | { readonly type: 'first-record'; readonly atMs: number; readonly cpuMs: number }
  | { readonly type: 'usage'; readonly atMs: number; readonly usage: Usage };
