import type { InitialPosition } from '../leases/stream-leases.ts';
import { ConfigError } from '../runtime/errors.ts';
import type { Backoff } from '../runtime/retry.ts';

export interface ConsumerOptions {
  /** Where a stream that nobody has read is begun. */
  readonly initialPosition: InitialPosition;
  /** `fan-out` falls back to polling by itself where subscribing fails, and comes back later. */
  readonly reading: 'polling' | 'fan-out';
  /** Pause between two reads of a shard that is caught up. */
  readonly pollMs: number;
  /** Least pause between two reads of a shard that is behind. Kinesis takes 5 reads a second and shard. */
  readonly readMs: number;
  readonly recordsPerReadMax: number;
  /** Pages that may wait, read but not delivered, per shard. */
  readonly prefetchPagesMax: number;
  /** Memory for pages, read or being read, over all shards of the process. One read may take 20 MiB. */
  readonly bytesMax: number;
  /** Records given to one call of `process`. */
  readonly batchRecordsMax: number;
  /** The longest time between two checkpoints of a shard under traffic. */
  readonly checkpointMs: number;
  /** Tries of a batch, and then of each single record, before it counts as poison. Outages are not counted. */
  readonly tries: number;
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** What happens to a record that cannot be handled. */
  readonly poison: 'dead-letter' | 'stop-shard';
  /** Dead letters in a row, with no record handled between them, that stop the shard. */
  readonly deadLettersInRowMax: number;
  /** What happens when records were trimmed before they were read. */
  readonly dataLoss: 'continue' | 'stop-shard';
  /** A shard that is behind and yields nothing for so long gets a new iterator or subscription. */
  readonly stalledMs: number;
}

export const consumerDefaults: ConsumerOptions = {
  initialPosition: { type: 'TRIM_HORIZON' },
  reading: 'polling',
  pollMs: 1_000,
  readMs: 200,
  recordsPerReadMax: 10_000,
  prefetchPagesMax: 2,
  bytesMax: 128 * 1024 * 1024,
  batchRecordsMax: 1_000,
  checkpointMs: 3_000,
  tries: 4,
  retryFirstMs: 100,
  retryMaxMs: 10_000,
  poison: 'dead-letter',
  deadLettersInRowMax: 100,
  dataLoss: 'continue',
  stalledMs: 60_000,
};

type Limits = {
  readonly [K in keyof ConsumerOptions as ConsumerOptions[K] extends number ? K : never]: Range;
};
interface Range {
  readonly min: number;
  readonly max: number;
}

const limits: Limits = {
  pollMs: { min: 0, max: 60_000 },
  readMs: { min: 0, max: 60_000 },
  recordsPerReadMax: { min: 1, max: 10_000 },
  prefetchPagesMax: { min: 1, max: 100 },
  bytesMax: { min: 32 * 1024 * 1024, max: Number.MAX_SAFE_INTEGER },
  batchRecordsMax: { min: 1, max: 100_000 },
  checkpointMs: { min: 1, max: 3_600_000 },
  tries: { min: 1, max: 100 },
  retryFirstMs: { min: 1, max: 60_000 },
  retryMaxMs: { min: 1, max: 300_000 },
  deadLettersInRowMax: { min: 1, max: 1_000_000 },
  stalledMs: { min: 1_000, max: 3_600_000 },
};

/** The defaults with `given` on top. Throws one ConfigError that names every value outside its limits. */
export function consumerOptions(given: Partial<ConsumerOptions> = {}): ConsumerOptions {
  const options = { ...consumerDefaults, ...given };
  const problems = Object.entries(limits).flatMap(([name, { min, max }]) => {
    const value = options[name as keyof Limits];
    const fits = Number.isInteger(value) && value >= min && value <= max;
    return fits ? [] : [`${name} = ${value}: give a whole number, ${min} … ${max}`];
  });
  if (options.retryFirstMs > options.retryMaxMs) {
    problems.push(`retryFirstMs = ${options.retryFirstMs}: give at most retryMaxMs = ${options.retryMaxMs}`);
  }
  if (problems.length > 0) throw new ConfigError('Options of the consumer are wrong', problems);
  return options;
}

/** Without an end: what waits with it ends by its signal. */
export function endlessBackoff(options: ConsumerOptions): Backoff {
  return { firstMs: options.retryFirstMs, maxMs: options.retryMaxMs, tries: Number.POSITIVE_INFINITY };
}
