import type { DeadLetter } from '../../../lib/consumer/dead-letters.ts';
import type { ConsumerDiagnostic } from '../../../lib/consumer/diagnostics.ts';
import type { LedgerEntry } from '../../../lib/consumer/events.ts';
import { type ConsumerOptions, consumerOptions } from '../../../lib/consumer/options.ts';
import type { ShardProcessor } from '../../../lib/consumer/processor.ts';
import { type Consumer, createConsumer } from '../../../lib/consumer/run-consumer.ts';
import type { LeaseEvent } from '../../../lib/leases/diagnostics.ts';
import { isFinished, type Lease } from '../../../lib/leases/lease.ts';
import { parseItem } from '../../../lib/leases/lease-item.ts';
import { createLeaseStore } from '../../../lib/leases/table-lease-store.ts';
import { timingsFor } from '../../../lib/leases/timings.ts';
import { PlatformError } from '../../../lib/runtime/errors.ts';
import { silentLog } from '../../../lib/runtime/log.ts';
import { createMemoryKinesis, type MemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import type { Kinesis } from '../../../lib/streams/kinesis.ts';
import { type Call, faultyLine } from '../faulty-line.ts';
import { failoverMs, Fleet, type FleetMutation, type SimulatedProcess, stopMs } from '../fleet.ts';
import { type Ailment, healingMs, type History, type Trouble, unfold, type World } from '../history.ts';
import { Auditor, undone } from './auditor.ts';
import { cast, faultyKinesis, spells } from './faulty-kinesis.ts';
import { judgeAccounts } from './accounts.ts';
import { counts, type Manner, type Mood, watchedProcessor } from './processors.ts';
import { Producer, stream } from './producer.ts';
import { Truth } from './truth.ts';

/** Bugs put in on purpose, to see a law go red. */
export interface Mutation extends FleetMutation {
  readonly processor?: (processor: ShardProcessor) => ShardProcessor;
  readonly kinesis?: (kinesis: Kinesis) => Kinesis;
  readonly manner?: Manner;
  /** Done before the history begins; what it returns undoes it. */
  readonly patch?: () => () => void;
}

const shardsMax = 16;
const troublesInAll = 12;
const hourMs = 3_600_000;
const retentionHours = 24;
const outageHours = 30;
/** For what piled up over generations of shards, where a read brings five records. */
const backlogMs = 60_000;

/** One random history of whole consumers over Kinesis in memory. */
export async function consumerHistory(
  seed: number,
  mutation: Mutation = {},
  troubles = troublesInAll,
): Promise<History> {
  const undo = mutation.patch?.();
  try {
    return await unfold(seed, new ConsumerWorld(seed, mutation), troubles);
  } finally {
    undo?.();
  }
}

class ConsumerWorld implements World {
  readonly fleet: Fleet;
  readonly #mutation: Mutation;
  readonly #kinesis: MemoryKinesis;
  readonly #truth = new Truth();
  readonly #auditor: Auditor;
  readonly #producer: Producer;
  readonly #manner: Manner;
  readonly #options: ConsumerOptions;
  readonly #mood: Mood;
  readonly #ledger: LedgerEntry[] = [];
  /** Process and shard, where the shard is stopped because of poison. */
  readonly #stopped = new Map<string, SimulatedProcess>();
  /** Shards that lost unread records. */
  readonly #unread = new Set<string>();
  #oddity = 0.02;
  #wasDark = false;

  constructor(seed: number, mutation: Mutation) {
    this.#mutation = mutation;
    this.fleet = new Fleet(seed, mutation);
    const { clock, random } = this.fleet;
    this.#manner = mutation.manner ?? this.fleet.one(['records', 'events', 'lanes'] as const) ?? 'records';
    this.#options = this.#drawOptions();
    this.#mood = { slow: random() * 0.2, outage: random() * 0.1, cured: false };
    this.#kinesis = createMemoryKinesis({ clock, random, retentionHours });
    this.#kinesis.createStream(stream, 1 + this.fleet.pick(4));
    this.#auditor = new Auditor(this.fleet, this.#truth, counts[this.#manner]);
    this.#producer = new Producer(this.fleet, this.#kinesis, this.#truth, this.#manner === 'events');
    this.#openShards();
    this.fleet.lives((process, signal) => this.#consumer(process).run(signal));
    this.fleet.note(`${this.#manner} ${JSON.stringify(this.#options)}`);
    void this.#producer.run();
  }

  readonly troubles: readonly Trouble[] = [
    () => this.#split(),
    () => this.#merge(),
    () => {
      for (let i = this.fleet.pick(6); i >= 0; i -= 1) {
        if (this.fleet.random() < 0.5) this.#split();
        else this.#merge();
      }
    },
    () => cast(this.#kinesis, this.fleet.one(spells) ?? []),
    () => this.#kinesis.expireIterators(),
    () => this.#kinesis.cutSubscriptions(),
    () => {
      this.#mood.outage = this.fleet.random() < 0.5 ? 1 : this.fleet.random() * 0.1;
    },
    () => {
      this.#mood.slow = this.fleet.random();
    },
    () => (this.fleet.random() < 0.2 ? this.#darkness() : undefined),
  ];

  /** Where ancestors were forgotten unread, the next sync of the shards may have to find their descendants. */
  readonly healingMs = (): number =>
    healingMs + backlogMs + (this.#wasDark ? 1.2 * timingsFor(failoverMs).syncMs : 0);

  readonly calm = (): void => {
    cast(this.#kinesis, []);
    this.#oddity = 0;
    this.#mood.slow = 0;
    this.#mood.outage = 0;
    this.#producer.stop();
    if (this.#options.poison !== 'stop-shard') return;
    // What stopped the shards is mended, and whoever holds one is deployed again.
    this.#mood.cured = true;
    for (const process of new Set(this.#stopped.values())) this.#deploy(process);
  };

  /** Every record is safe, every checkpoint behind the last one, and every lease that goes on is held. */
  readonly ailment = (): Ailment | undefined => {
    const what = this.#undone();
    if (what !== undefined) return { law: 'I6 in time', what };
    const untold = [...this.#unread].find((shardId) => !this.#auditor.losses.has(shardId));
    return untold === undefined
      ? undefined
      : { law: 'data loss is told', what: `nothing was said of ${untold}` };
  };

  #undone(): string | undefined {
    const leases = this.#leases();
    const running = new Set(this.fleet.running().map(({ id }) => id));
    for (const shard of this.#truth.all()) {
      const left = undone(shard);
      if (left) return `${left.id} of ${shard.shardId} is not done`;
      const lease = leases.get(shard.shardId);
      const last = shard.records.findLastIndex(({ kind, trimmed }) => kind !== 'foreign' && !trimmed);
      if (lease === undefined || isFinished(lease)) continue;
      const { checkpoint } = lease;
      const done = checkpoint.type === 'POSITION' ? shard.countUpTo(checkpoint) : 0;
      if (done <= last) return `the checkpoint of ${shard.shardId} is behind`;
      if (lease.incarnation === undefined || !running.has(lease.leaseOwner ?? '')) {
        return `${shard.shardId} has no owner`;
      }
    }
    const open = this.#kinesis.shardsOf(stream);
    const missing = open.find(
      ({ endingSequenceNumber, shardId }) => endingSequenceNumber === undefined && !leases.has(shardId),
    );
    const waiting = open.find(({ endingSequenceNumber, shardId }) => {
      const lease = leases.get(shardId);
      return endingSequenceNumber !== undefined && lease !== undefined && !isFinished(lease);
    });
    if (waiting) return `the end of ${waiting.shardId} is not written`;
    return missing && `${missing.shardId} has no lease`;
  }

  readonly judge = (): void => {
    judgeAccounts({
      auditor: this.#auditor,
      truth: this.#truth,
      cured: this.#mood.cured,
      ...(this.#manner === 'events' && { ledger: this.#ledger, leases: [...this.#leases().values()] }),
    });
  };

  #consumer(process: SimulatedProcess): Consumer {
    const { fleet } = this;
    const line = fleet.lineOf(process);
    const call = faultyLine(line, {
      unreachable: (what) => new PlatformError('store-unavailable', what, { retryable: true }),
      throttled: () => new PlatformError('store-throttled', 'simulated: throttled', { retryable: true }),
    });
    const kinesisLine = { ...line, own: process.clock, oddity: () => this.#oddity };
    const kinesis = faultyKinesis(this.#kinesis, kinesisLine);
    const deadLetters = this.#deadLetters(call);
    return createConsumer({
      application: 'simulation',
      workerId: process.id,
      streams: [stream],
      kinesis: this.#mutation.kinesis?.(kinesis) ?? kinesis,
      leaseStore: createLeaseStore(fleet.tableOf(process, this.#auditor.table)),
      processorFor: () => {
        const ledger = { put: (entry: LedgerEntry) => call(async () => void this.#ledger.push(entry)) };
        const ports = { fleet, process, auditor: this.#auditor, mood: this.#mood, options: this.#options };
        const processor = watchedProcessor(this.#manner, { ...ports, deadLetters, ledger });
        return this.#mutation.processor?.(processor) ?? processor;
      },
      deadLetters,
      clock: process.clock,
      log: silentLog,
      random: fleet.random,
      options: this.#options,
      leases: {
        failoverMs,
        processId: process.processId,
        isGone: (other) => fleet.isGone(other),
        stopMs,
        surveyUnitsPerSecond: fleet.surveyUnitsPerSecond,
      },
      onDiagnostic: (event) => this.#onDiagnostic(process, event),
    });
  }

  #deadLetters(call: Call) {
    return { put: (letter: DeadLetter) => call(async () => this.#auditor.onLetter(letter)) };
  }

  #onDiagnostic(process: SimulatedProcess, event: ConsumerDiagnostic | LeaseEvent): void {
    if (!('shardId' in event)) return this.fleet.onLeaseEvent(process, event);
    const { shardId, type } = event;
    const why = 'failure' in event ? event.failure.message : 'outcome' in event ? event.outcome : '';
    this.fleet.note(`${process.id} ${type} ${shardId} ${why}`);
    const tenure = `${process.processId} ${shardId}`;
    if (type === 'shard-stopped') {
      this.#stopped.set(tenure, process);
      // Lanes tell of it with the next call of the loop.
      if (this.#mood.cured) this.#deploy(process);
    }
    if (type === 'data-loss') this.#onLoss(shardId);
    if (type !== 'shard-finished') return;
    // A stopped shard has saved what it could.
    const wasStopped = this.#stopped.delete(tenure);
    if (event.outcome === 'drained' && !wasStopped) this.#auditor.onDrained(process, shardId);
  }

  #deploy(process: SimulatedProcess): void {
    if (process.state !== 'running') return;
    this.fleet.stop(process);
    this.fleet.start();
  }

  #onLoss(shardId: string): void {
    this.#auditor.losses.add(shardId);
    if (!this.#wasDark) this.#auditor.breach('data loss is told', `${shardId} lost nothing`);
  }

  #leases(): ReadonlyMap<string, Lease> {
    const leases = new Map<string, Lease>();
    for (const item of this.fleet.table.items.values()) {
      const parsed = parseItem(item);
      if (parsed.type === 'lease') leases.set(parsed.lease.shardId, parsed.lease);
    }
    return leases;
  }

  #openShards(): void {
    for (const { parents, shardId } of this.#kinesis.shardsOf(stream)) {
      if (this.#truth.shard(shardId)) continue;
      this.#truth.open(shardId, parents);
      this.fleet.note(`${shardId} opens, of ${parents.join(' and ')}`);
    }
  }

  #split(): void {
    const shards = this.#kinesis.shardsOf(stream);
    const shard = this.fleet.one(
      shards.filter(({ endingSequenceNumber }) => endingSequenceNumber === undefined),
    );
    if (shard === undefined || shards.length >= shardsMax) return;
    this.#kinesis.split(stream, shard.shardId);
    this.#openShards();
  }

  #merge(): void {
    const shards = this.#kinesis.shardsOf(stream);
    const open = shards.filter(({ endingSequenceNumber }) => endingSequenceNumber === undefined);
    const shard = this.fleet.one(open);
    const next = open.find((other) => {
      return shard && BigInt(other.startingHashKey) === BigInt(shard.endingHashKey) + 1n;
    });
    if (shard === undefined || next === undefined || shards.length >= shardsMax) return;
    this.#kinesis.merge(stream, shard.shardId, next.shardId);
    this.#openShards();
  }

  /** Nobody runs for longer than records are kept. */
  async #darkness(): Promise<void> {
    const { fleet } = this;
    this.#wasDark = true;
    for (const process of fleet.processes) if (process.state !== 'ended') fleet.crash(process);
    const quiet = this.#producer.pause();
    await fleet.clock.advance(outageHours * hourMs);
    const leases = this.#leases();
    for (const shardId of this.#truth.trim()) {
      if (leases.get(shardId)?.checkpoint.type === 'POSITION') this.#unread.add(shardId);
    }
    quiet();
    fleet.start();
    fleet.start();
  }

  #drawOptions(): ConsumerOptions {
    const { fleet } = this;
    const among = <T>(...values: readonly [T, ...T[]]): T => fleet.one(values) ?? values[0];
    return consumerOptions({
      reading: among('polling', 'polling', 'fan-out'),
      pollMs: among(500, 1_000),
      recordsPerReadMax: among(5, 50, 10_000),
      prefetchPagesMax: among(1, 2, 5),
      bytesMax: among(32, 128) * 1_048_576,
      batchRecordsMax: among(3, 20, 1_000),
      checkpointMs: among(300, 1_000, 3_000, 10_000),
      tries: 3,
      retryFirstMs: 20,
      retryMaxMs: among(200, 2_000),
      poison: among('dead-letter', 'dead-letter', 'dead-letter', 'dead-letter', 'stop-shard'),
      stalledMs: among(3_000, 60_000),
    });
  }
}
