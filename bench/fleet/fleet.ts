import type { ChildProcess } from 'node:child_process';
import { PlatformError } from '../../lib/runtime/errors.ts';
import { end, firstMessage, forkScript, hasEnded } from './child.ts';
import { nowMs, sleep } from './clock.ts';
import type { BenchCloud } from './cloud.ts';
import { Deliveries } from './deliveries.ts';
import type { WorkerMessage, WorkerSettings } from './messages.ts';

export interface FleetWorker {
  readonly id: string;
  readonly child: ChildProcess;
  /** When its consumer began to run: the process was up by then. */
  readonly runningAtMs: number;
  readonly holds: ReadonlySet<string>;
}

const lookMs = 10;

/** Worker processes on one stream, and what they deliver. */
export class Fleet {
  readonly deliveries = new Deliveries();
  readonly #cloud: BenchCloud;
  readonly #settings: Partial<WorkerSettings>;
  readonly #workers = new Map<string, FleetWorker>();
  /** When a shard last began or ended anywhere. */
  changedAtMs = 0;
  /** Leases lost by workers that were alive. */
  leasesLost = 0;

  constructor(cloud: BenchCloud, settings: Partial<WorkerSettings>) {
    this.#cloud = cloud;
    this.#settings = settings;
  }

  get workers(): readonly FleetWorker[] {
    return [...this.#workers.values()];
  }

  /** Resolves when its consumer runs. */
  async start(id: string): Promise<FleetWorker> {
    const settings = { handlerMs: 0, tell: 'each', ...this.#settings, ...this.#cloud.place, workerId: id };
    const child = forkScript('worker.ts', JSON.stringify(settings));
    const holds = new Set<string>();
    child.on('message', (message) => this.#hear(id, holds, message as WorkerMessage));
    const { atMs } = await firstMessage<WorkerMessage>(child, `worker ${id}`);
    const worker = { id, child, runningAtMs: atMs, holds };
    this.#workers.set(id, worker);
    return worker;
  }

  /** SIGTERM lets it drain, SIGKILL does not. Resolves when the process is gone. */
  async stop(worker: FleetWorker, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#workers.delete(worker.id);
    await end(worker.child, signal);
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.workers.map((worker) => this.stop(worker, 'SIGKILL')));
  }

  /** All shards held, each once, no worker with two more than another. */
  isBalanced(): boolean {
    const { shards } = this.#cloud;
    const sizes = this.workers.map(({ holds }) => holds.size);
    const held = new Set(this.workers.flatMap(({ holds }) => [...holds]));
    const all = sizes.reduce((sum, size) => sum + size, 0);
    return all === shards.length && held.size === all && Math.max(...sizes) - Math.min(...sizes) <= 1;
  }

  #hear(id: string, holds: Set<string>, message: WorkerMessage): void {
    switch (message.type) {
      case 'delivered':
        return this.deliveries.add(id, message.shardId, message.atMs, message.sequenceNumbers);
      case 'shard':
        if (message.holds) holds.add(message.shardId);
        else holds.delete(message.shardId);
        this.changedAtMs = Math.max(this.changedAtMs, message.atMs);
        return;
      case 'lease-lost':
        this.leasesLost += 1;
        return;
      case 'running':
      case 'first-record':
      case 'usage':
        return;
    }
  }
}

/** Rejects with what is missing if it is not reached within `withinMs`, or once a process is gone. */
export async function until(
  what: string,
  reached: () => boolean,
  withinMs: number,
  child?: ChildProcess,
): Promise<void> {
  const untilMs = nowMs() + withinMs;
  while (!reached()) {
    if (nowMs() > untilMs) throw new PlatformError('bench-too-slow', `Not within ${withinMs} ms: ${what}`);
    if (child !== undefined && hasEnded(child)) {
      throw new PlatformError('bench-child-ended', `A process ended before: ${what}`);
    }
    await sleep(lookMs);
  }
}
