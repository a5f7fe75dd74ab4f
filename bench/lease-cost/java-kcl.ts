import type { Units } from './units.ts';

/**
 * What the Java KCL 2.x does by its defaults (failover time 10 s), read in the sources of 2.7.3: each lease is
 * renewed every third of the failover time less 25 ms, whether or not it was checkpointed; a checkpoint is a write of
 * its own; every worker scans the table, eventually consistent, every two failover times.
 */
const renewMs = 10_000 / 3 - 25;
const scanMs = 20_000;
/** Of an item without any of our attributes: 0.3 … 0.5 KB, by its attribute list. */
const itemBytes = 400;
const readUnitBytes = 4_096;

/** Units each second of the whole fleet. */
export function javaKcl2(of: {
  readonly workers: number;
  readonly leases: number;
  readonly checkpointMs: number | undefined;
}): Units {
  const renewals = of.leases / (renewMs / 1_000);
  const checkpoints = of.checkpointMs === undefined ? 0 : of.leases / (of.checkpointMs / 1_000);
  const scan = Math.ceil((of.leases * itemBytes) / readUnitBytes) / 2;
  return { writes: renewals + checkpoints, reads: (of.workers * scan) / (scanMs / 1_000) };
}
