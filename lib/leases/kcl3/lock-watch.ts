import type { LeaderLock } from './fleet-mode.ts';

/** Whether the Java leader renews its lock, judged as its peers do it: on the observer's own monotonic clock. */
export class LockWatch {
  #lock: LeaderLock | undefined;
  #changedAtMs = 0;

  /** The owner of a lock that lives. */
  see(lock: LeaderLock | undefined, nowMs: number): string | undefined {
    if (lock?.version !== this.#lock?.version) this.#changedAtMs = nowMs;
    this.#lock = lock;
    return lock !== undefined && nowMs - this.#changedAtMs < lock.leaseMs ? lock.owner : undefined;
  }
}
