import type { LeaseEvent } from '../leases/diagnostics.ts';
import type { Log } from '../runtime/log.ts';
import type { Position } from '../streams/position.ts';
import type { Failure } from './failures.ts';

/** Everything a consumer has to say of a shard. Logs, metrics and tests are all made from this one list. */
export type ConsumerDiagnostic = { readonly stream: string; readonly shardId: string } & ShardDiagnostic;

export type ShardDiagnostic =
  | { readonly type: 'shard-started'; readonly from: string; readonly fence: number }
  | { readonly type: 'shard-finished'; readonly outcome: 'drained' | 'shard-end' | 'lost' }
  /** The loop waits, holding the lease, until it is drained or lost. */
  | { readonly type: 'shard-stopped'; readonly failure: Failure }
  | { readonly type: 'checkpointed'; readonly upTo: Position; readonly tookMs: number }
  | { readonly type: 'checkpoint-failed'; readonly failure: Failure }
  /** `start`, `flush`, `idle`, `shardEnd`… threw; it is called again after a pause. */
  | {
      readonly type: 'step-failed';
      readonly step: string;
      readonly attempt: number;
      readonly failure: Failure;
    }
  | {
      readonly type: 'batch-retried';
      readonly first: Position;
      readonly records: number;
      readonly attempt: number;
      readonly outage: boolean;
      readonly failure: Failure;
    }
  | { readonly type: 'batch-halved'; readonly first: Position; readonly records: number }
  | { readonly type: 'record-dead-lettered'; readonly position: Position; readonly failure: Failure }
  /** Records after `after` were trimmed before anybody read them; reading goes on at `before`, where known. */
  | { readonly type: 'data-loss'; readonly after: string | undefined; readonly before: string | undefined }
  /** A KPL user record belongs to another shard (records put around a reshard); it was left out, as KCL does. */
  | { readonly type: 'foreign-user-record'; readonly position: Position }
  | { readonly type: 'iterator-expired' }
  | { readonly type: 'read-throttled'; readonly inRow: number }
  | { readonly type: 'read-failed'; readonly attempt: number; readonly failure: Failure }
  /** Behind, and nothing came: a new iterator or subscription is asked for. */
  | { readonly type: 'progress-stalled'; readonly lagMs: number; readonly forMs: number }
  | { readonly type: 'source-fell-back'; readonly failure: Failure }
  | { readonly type: 'source-came-back' };

type Level = keyof Log;

const levels: { readonly [T in ShardDiagnostic['type']]: Level } = {
  'shard-started': 'info',
  'shard-finished': 'info',
  'shard-stopped': 'error',
  checkpointed: 'debug',
  'checkpoint-failed': 'warn',
  'step-failed': 'warn',
  'batch-retried': 'warn',
  'batch-halved': 'info',
  'record-dead-lettered': 'warn',
  'data-loss': 'error',
  'foreign-user-record': 'info',
  'iterator-expired': 'debug',
  'read-throttled': 'debug',
  'read-failed': 'warn',
  'progress-stalled': 'warn',
  'source-fell-back': 'warn',
  'source-came-back': 'info',
};

export function logDiagnostic(log: Log, diagnostic: ConsumerDiagnostic): void {
  const { type, ...fields } = diagnostic;
  log[levels[type]](type, fields);
}

/** What is not listed is everyday and goes to the debug log. */
const leaseLevels: { readonly [T in LeaseEvent['type']]?: Level } = {
  'worker-started': 'info',
  'worker-stopping': 'info',
  'worker-stopped': 'info',
  'lease-taken': 'info',
  'lease-lost': 'warn',
  'lease-released': 'info',
  'lease-handed-over': 'info',
  'lease-finished': 'info',
  'lease-restored': 'warn',
  'state-set-aside': 'warn',
  'work-failed': 'error',
  'work-overran': 'warn',
  'item-set-aside': 'warn',
  'duplicate-worker': 'error',
  'clock-jumped': 'warn',
  'compat-mode-changed': 'info',
  'clock-skew': 'warn',
  'shard-unowned': 'warn',
  'at-capacity': 'warn',
  'hash-range-hole': 'warn',
  'no-pulse-index': 'warn',
  'call-failed': 'warn',
};

export function logLeaseEvent(log: Log, event: LeaseEvent): void {
  const { type, ...fields } = event;
  log[leaseLevels[type] ?? 'debug'](type, fields);
}
