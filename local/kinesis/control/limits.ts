/** What one shard may take and give per second, as the service documents it. */
export const SHARD_LIMITS = {
  writeBytes: 1024 * 1024,
  writeRecords: 1_000,
  reads: 5,
  readBytes: 2 * 1024 * 1024,
} as const;

/**
 * Tokens that come back at a steady rate, up to one second's worth. What costs more than the bucket can ever hold
 * (a 10 MiB record, a 10 MiB page) passes when the bucket is full and leaves a debt that later calls wait for.
 */
export class Bucket {
  readonly #perSecond: number;
  #tokens: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#atMs = nowMs;
  }

  has(cost: number, nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= Math.min(cost, this.#perSecond);
  }

  take(cost: number): void {
    this.#tokens -= cost;
  }

  /** How long until `cost` can be had. */
  waitMs(cost: number, nowMs: number): number {
    this.#refill(nowMs);
    const missing = Math.min(cost, this.#perSecond) - this.#tokens;
    return Math.max(0, Math.ceil((missing / this.#perSecond) * 1000));
  }

  #refill(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#atMs);
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (passedMs / 1000) * this.#perSecond);
    this.#atMs = nowMs;
  }
}

interface ShardBuckets {
  readonly writeBytes: Bucket;
  readonly writeRecords: Bucket;
  readonly reads: Bucket;
  readonly readBytes: Bucket;
}

/** The throughput that a shard still has; `shard` is any object that lives as long as the shard. */
export interface Throughput {
  /** Takes the record's share, or takes nothing and says no. */
  readonly admitWrite: (shard: object, bytes: number, nowMs: number) => boolean;
  readonly admitRead: (shard: object, nowMs: number) => boolean;
  /** A page's size is known only when it was read. */
  readonly chargeRead: (shard: object, bytes: number, nowMs: number) => void;
  /** The bytes that one enhanced fan-out subscription may push; undefined when it may push all. */
  readonly fanOutBucket: (nowMs: number) => Bucket | undefined;
}

export const unlimited: Throughput = {
  admitWrite: () => true,
  admitRead: () => true,
  chargeRead: () => {},
  fanOutBucket: () => undefined,
};

export function serviceThroughput(): Throughput {
  const shards = new WeakMap<object, ShardBuckets>();
  const bucketsOf = (shard: object, nowMs: number): ShardBuckets => {
    const known = shards.get(shard) ?? freshBuckets(nowMs);
    shards.set(shard, known);
    return known;
  };
  return {
    admitWrite: (shard, bytes, nowMs) => {
      const { writeBytes, writeRecords } = bucketsOf(shard, nowMs);
      if (!writeBytes.has(bytes, nowMs) || !writeRecords.has(1, nowMs)) return false;
      writeBytes.take(bytes);
      writeRecords.take(1);
      return true;
    },
    admitRead: (shard, nowMs) => {
      const { reads, readBytes } = bucketsOf(shard, nowMs);
      if (!reads.has(1, nowMs) || !readBytes.has(1, nowMs)) return false;
      reads.take(1);
      return true;
    },
    chargeRead: (shard, bytes, nowMs) => bucketsOf(shard, nowMs).readBytes.take(bytes),
    fanOutBucket: (nowMs) => new Bucket(SHARD_LIMITS.readBytes, nowMs),
  };
}

function freshBuckets(nowMs: number): ShardBuckets {
  return {
    writeBytes: new Bucket(SHARD_LIMITS.writeBytes, nowMs),
    writeRecords: new Bucket(SHARD_LIMITS.writeRecords, nowMs),
    reads: new Bucket(SHARD_LIMITS.reads, nowMs),
    readBytes: new Bucket(SHARD_LIMITS.readBytes, nowMs),
  };
}
