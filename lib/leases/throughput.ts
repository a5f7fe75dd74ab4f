/** Bytes per second of one shard, smoothed as the Java KCL does it (factor 0.5), so that both see one scale. */
const smoothing = 0.5;
/** Shorter stretches say more about the size of a batch than about the traffic. */
const sampleMs = 1_000;

export interface Throughput {
  readonly observe: (bytes: number) => void;
  /** KiB/s with at most 6 decimals (the item's format); undefined until there is a first sample. */
  readonly sample: (nowMs: number) => number | undefined;
}

export function createThroughput(startMs: number, before: number): Throughput {
  let bytes = 0;
  let sinceMs = startMs;
  let average = before;
  let sampled = false;
  return {
    observe: (more) => {
      bytes += more;
    },
    sample: (nowMs) => {
      const stretchMs = nowMs - sinceMs;
      if (stretchMs >= sampleMs) {
        const now = (bytes / 1_024 / stretchMs) * 1_000;
        average = Math.round((smoothing * now + (1 - smoothing) * average) * 1e6) / 1e6;
        [bytes, sinceMs, sampled] = [0, nowMs, true];
      }
      return sampled ? average : undefined;
    },
  };
}
