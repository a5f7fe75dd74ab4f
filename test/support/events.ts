import type { EventRecord } from '../../lib/consumer/events.ts';
import type { ShardContext } from '../../lib/consumer/processor.ts';
import type { Event } from '../../lib/event/event.ts';

export interface Sample {
  readonly id?: string;
  readonly type?: string;
  /** RFC 3339 or milliseconds. */
  readonly time?: string | number;
  readonly subject?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly data?: unknown;
  /** The record's sequence number. */
  readonly at?: number;
  readonly arrivedAtMs?: number;
  readonly stream?: string;
  readonly shardId?: string;
}

export function sampleEvent(sample: Sample = {}): Event {
  const { time = 1_000 } = sample;
  const timeMs = typeof time === 'number' ? time : Date.parse(time);
  return {
    id: sample.id ?? `event-${sample.at ?? 1}`,
    source: 'test',
    type: sample.type ?? 'weather',
    time: typeof time === 'number' ? new Date(timeMs).toISOString() : time,
    timeMs,
    subject: sample.subject ?? 'somebody',
    attributes: sample.attributes ?? {},
    data: 'data' in sample ? sample.data : { n: sample.at ?? 1 },
  };
}

export function sampleRecord(sample: Sample = {}): EventRecord {
  return {
    event: sampleEvent(sample),
    record: {
      stream: sample.stream ?? 'city',
      shardId: sample.shardId ?? 'shard-0',
      position: { sequenceNumber: String(sample.at ?? 1), subSequenceNumber: 0 },
      partitionKey: sample.subject ?? 'somebody',
      data: new Uint8Array([1, 2, 3]),
      arrivedAtMs: sample.arrivedAtMs ?? 1_000,
    },
  };
}

export function sampleContext(over: Partial<ShardContext> = {}): ShardContext {
  return {
    stream: 'city',
    shardId: 'shard-0',
    fence: 1,
    signal: new AbortController().signal,
    verify: async () => {},
    prepareCheckpoint: async () => {},
    ...over,
  };
}

export const noStart = { checkpoint: undefined, state: undefined, parents: [], pending: undefined } as const;
