/**
 * Bytes per second of one shard, smoothed over time: what was measured before counts half after so long. Not by a factor
 * for each sample, as the Java KCL does it (0.5): leases are sampled when they are written, at other times and over
 * other stretches, and a burst or a lull would make even shards look uneven for a minute.
 */
const halfLifeMs = 30_000;
/** Shorter stretches say more about the size of a batch than about the traffic. */
const sampleMs = 1_000;

/** What was read at once: its size, and when its first and its last record arrived (epoch milliseconds, Kinesis's). */
export interface ReadStretch {
  readonly bytes: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Throughput {
  readonly observe: (read: ReadStretch) => void;
  /** KiB/s with at most 6 decimals (the item's format); undefined until there is a first sample. */
  readonly sample: (nowMs: number) => number | undefined;
}

/**
 * The traffic of the shard, not the speed of reading: what is read in a second may have arrived in ten. Otherwise
 * whoever works off the backlog of a failover looks ten times as busy as it is, and gets no share for it.
 */
export function createThroughput(startMs: number, before: number): Throughput {
  let bytes = 0;
  let arrivedInMs = 0;
  let arrivedUpToMs: number | undefined;
  let sinceMs = startMs;
  let average = before;
  let sampled = false;
  return {
    observe: (read) => {
      bytes += read.bytes;
      const upToMs = arrivedUpToMs ?? read.fromMs;
      arrivedUpToMs = Math.max(upToMs, read.toMs);
      arrivedInMs += arrivedUpToMs - upToMs;
    },
    sample: (nowMs) => {
      const stretchMs = nowMs - sinceMs;
      if (stretchMs >= sampleMs) {
        const now = (bytes / 1_024 / Math.max(stretchMs, arrivedInMs)) * 1_000;
        const kept = 0.5 ** (stretchMs / halfLifeMs);
        average = Math.round((kept * average + (1 - kept) * now) * 1e6) / 1e6;
        [bytes, arrivedInMs, sinceMs, sampled] = [0, 0, nowMs, true];
      }
      return sampled ? average : undefined;
    },
  };
}
