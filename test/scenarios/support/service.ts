import { expect } from 'chai';
import type { ConsumerDiagnostic } from '../../../lib/consumer/diagnostics.ts';
import type { ConsumerOptions } from '../../../lib/consumer/options.ts';
import type { StreamRecord } from '../../../lib/consumer/processor.ts';
import { createConsumer } from '../../../lib/consumer/run-consumer.ts';
import type { LeaseEvent } from '../../../lib/leases/diagnostics.ts';
import { createMemoryLeaseStore } from '../../../lib/leases/memory-lease-table.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { silentLog } from '../../../lib/runtime/log.ts';
import type { Kinesis } from '../../../lib/streams/kinesis.ts';
import { type KinesisOptions, type KinesisServer, startKinesis } from '../../../local/kinesis/server.ts';
import { sdkKinesis } from '../../contract/kinesis/sdk-kinesis.ts';
import { seededRandom } from '../../support/lease-workers.ts';

export type Diagnostic = ConsumerDiagnostic | LeaseEvent;

export interface ServiceWorker {
  readonly events: readonly Diagnostic[];
  readonly count: (type: Diagnostic['type']) => number;
  /** SIGTERM; resolves when it has drained. */
  readonly stop: () => Promise<void>;
}

/** The laptop's Kinesis behind the AWS adapter, one stream, and consumers in real time on one lease table. */
export interface Service {
  readonly server: KinesisServer;
  readonly kinesis: Kinesis;
  readonly stream: string;
  /** What was delivered, in order. */
  readonly seen: readonly string[];
  readonly start: (options: Partial<ConsumerOptions>, handle?: Handle) => ServiceWorker;
  /** To this shard, numbered from where the last call ended. */
  readonly put: (count: number, shard?: number) => Promise<void>;
  readonly split: (shardId: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

type Handle = (records: readonly StreamRecord[]) => Promise<void>;

const lookMs = 10;

export async function until(what: string, reached: () => boolean, withinMs: number): Promise<void> {
  const untilMs = systemClock.monotonic() + withinMs;
  while (!reached()) {
    if (systemClock.monotonic() > untilMs) expect.fail(`not within ${withinMs} ms: ${what}`);
    await systemClock.sleep(lookMs);
  }
}

export async function openService(shards: number, over: Partial<KinesisOptions> = {}): Promise<Service> {
  const server = await startKinesis({
    port: 0,
    region: 'eu-central-1',
    accountId: '000000000000',
    limits: 'off',
    ...over,
  });
  const under = sdkKinesis(server.url, server.close);
  const { kinesis } = under;
  const stream = await under.createStream(shards);
  const listed = await kinesis.listShards(stream);
  const leaseStore = createMemoryLeaseStore();
  const seen: string[] = [];
  const stops: (() => Promise<void>)[] = [];
  let count = 0;
  const start: Service['start'] = (options, handle) => {
    const stop = new AbortController();
    const events: Diagnostic[] = [];
    const consumer = createConsumer({
      application: 'tests',
      workerId: `worker-${stops.length}`,
      streams: [stream],
      kinesis,
      leaseStore,
      processorFor: () => ({
        start: async () => {},
        process: async (records) => {
          await handle?.(records);
          seen.push(...records.map(({ data }) => new TextDecoder().decode(data)));
        },
        flush: async () => ({}),
      }),
      deadLetters: { put: async ({ error }) => Promise.reject(new Error(error)) },
      clock: systemClock,
      random: seededRandom(25),
      log: silentLog,
      options: { pollMs: 50, ...options },
      leases: { failoverMs: 4_000 },
      onDiagnostic: (event) => void events.push(event),
    });
    const running = consumer.run(stop.signal);
    const end = async (): Promise<void> => {
      stop.abort();
      await running;
    };
    stops.push(end);
    return { events, count: (type) => events.filter((event) => event.type === type).length, stop: end };
  };
  const put: Service['put'] = async (records, shard = 0) => {
    const explicitHashKey = listed[shard]!.startingHashKey;
    for (let left = records; left > 0; left -= 1) {
      const data = new TextEncoder().encode(String(count));
      count += 1;
      const [outcome] = await kinesis.put(stream, [{ partitionKey: 'any', explicitHashKey, data }]);
      expect(outcome?.ok).to.equal(true);
    }
  };
  const close = async (): Promise<void> => {
    await Promise.all(stops.map((stop) => stop()));
    await under.stop();
  };
  return { server, kinesis, stream, seen, start, put, split: (id) => under.split(stream, id), close };
}

export function numbers(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}
