import type { HeldLease } from '../leases/held-lease.ts';
import type { SavedState } from '../leases/saved-state.ts';
import type { Clock } from '../runtime/clock.ts';
import { comparePositions, type Position } from '../streams/position.ts';
import type { ShardDiagnostic } from './diagnostics.ts';
import { failureKind, failureOf } from './failures.ts';
import type { ConsumerOptions } from './options.ts';
import type { ShardContext, ShardProcessor } from './processor.ts';
import { withReadThrough } from './read-through.ts';
import type { Steps } from './steps.ts';

/** Before every record: what a shard without records is flushed up to at its end. */
const beforeAll: Position = { sequenceNumber: '0', subSequenceNumber: 0 };

/** A quiet shard's checkpoint is written again so often, to say that all was read until now (read-through.ts). */
export const quietCheckpointMs = 3_600_000;

export interface CheckpointPorts {
  readonly lease: HeldLease;
  readonly processor: ShardProcessor;
  readonly context: ShardContext;
  readonly clock: Clock;
  readonly options: ConsumerOptions;
  readonly steps: Steps;
  readonly report: (diagnostic: ShardDiagnostic) => void;
}

/** How far a shard is done, and when and how that is written. Order is law: flush, then checkpoint. */
export class Checkpoints {
  readonly #ports: CheckpointPorts;
  #position: Position | undefined;
  #readThroughMs: number | undefined;
  #unsaved = false;
  #savedAtMs: number;

  constructor(ports: CheckpointPorts, position: Position | undefined) {
    this.#ports = ports;
    this.#position = position;
    this.#savedAtMs = ports.clock.monotonic();
  }

  get position(): Position | undefined {
    return this.#position;
  }

  advance(position: Position): void {
    this.#position = position;
    this.#unsaved = true;
  }

  /** All pages read before this time are done. */
  readThrough(atMs: number | undefined): void {
    this.#readThroughMs = atMs;
  }

  /** Time until a checkpoint is due; 0 and less: now. Infinite where there is no position to write. */
  dueInMs(): number {
    if (this.#position === undefined) return Number.POSITIVE_INFINITY;
    const everyMs = this.#unsaved ? this.#ports.options.checkpointMs : quietCheckpointMs;
    return this.#savedAtMs + everyMs - this.#ports.clock.monotonic();
  }

  /** After each `process` and `idle`, and when the time has come. */
  async saveIfDue(): Promise<void> {
    const { clock, processor } = this.#ports;
    if (processor.wantsCheckpoint?.() !== true && this.dueInMs() > 0) return;
    const upTo = this.#done();
    if (upTo === undefined || this.#isRepeating(upTo)) this.#savedAtMs = clock.monotonic();
    else await this.#save(upTo);
  }

  /** Before the shard is given up: does not come back until everything is saved. */
  async saveAll(): Promise<void> {
    const asked = this.#ports.processor.wantsCheckpoint?.() === true;
    if (this.#unsaved || asked) await this.#saveSurely(this.#position);
  }

  /** Before a stopped shard waits: what is done is saved, the rest is not waited for. */
  async saveDone(): Promise<void> {
    if (this.#unsaved) await this.#saveSurely(this.#done());
  }

  #done(): Position | undefined {
    const { processor } = this.#ports;
    return processor.doneUpTo ? processor.doneUpTo() : this.#position;
  }

  async #saveSurely(upTo: Position | undefined): Promise<void> {
    if (upTo === undefined || this.#isRepeating(upTo)) return;
    for (let attempt = 1; !(await this.#save(upTo)); attempt += 1) await this.#ports.steps.pause(attempt);
  }

  /**
   * Inside a range that an earlier owner prepared (`prepareCheckpoint`): it is repeated whole before anything is
   * saved. Given up inside it, it is left to the next owner to repeat.
   */
  #isRepeating(upTo: Position): boolean {
    const { pending } = this.#ports.lease.taken;
    return pending !== undefined && comparePositions(upTo, pending.checkpoint) < 0;
  }

  /** False: the lease table did not take it. */
  async #save(upTo: Position): Promise<boolean> {
    const { clock, lease, report, steps } = this.#ports;
    const startedMs = clock.monotonic();
    const all = this.#position !== undefined && comparePositions(upTo, this.#position) === 0;
    const flushed = await this.#flush(upTo);
    const state = all ? withReadThrough(flushed, this.#readThroughMs) : flushed;
    // Also when it fails: a table that refuses is not asked again before the next turn.
    this.#savedAtMs = clock.monotonic();
    try {
      await steps.guard(lease.checkpoint({ type: 'POSITION', ...upTo }, state));
    } catch (error) {
      if (failureKind(error) === 'final') throw error;
      report({ type: 'checkpoint-failed', failure: failureOf(error, 'checkpoint-failed') });
      return false;
    }
    if (all) this.#unsaved = false;
    report({ type: 'checkpointed', upTo, tookMs: clock.monotonic() - startedMs });
    await this.#tell(upTo);
    return true;
  }

  /** The end of a closed shard, all of which was processed. The last checkpoint comes before it. */
  async finish(write: (state: SavedState) => Promise<void>): Promise<void> {
    const { context, processor, steps } = this.#ports;
    await this.saveAll();
    await steps.run('shard-end', async () => processor.shardEnd?.(context));
    const state = await this.#flush(this.#position ?? beforeAll);
    await steps.run('finish', () => write(state));
  }

  #flush(upTo: Position): Promise<SavedState> {
    const { context, processor, steps } = this.#ports;
    return steps.run('flush', () => processor.flush(upTo, context));
  }

  async #tell(upTo: Position): Promise<void> {
    const { context, processor, report, steps } = this.#ports;
    try {
      await steps.guard(Promise.resolve(processor.checkpointed?.(upTo, context)));
    } catch (error) {
      if (failureKind(error) === 'final') throw error;
      const failure = failureOf(error, 'checkpointed-failed');
      report({ type: 'step-failed', step: 'checkpointed', attempt: 1, failure });
    }
  }
}
