import { type Coordinator, createCoordinator } from '../../../lib/leases/coordinator.ts';
import { unitsPerLease } from '../../../lib/leases/cadence.ts';
import type { HeldLease } from '../../../lib/leases/held-lease.ts';
import { parseItem } from '../../../lib/leases/lease-item.ts';
import { isFinished } from '../../../lib/leases/lease.ts';
import { createLeaseStore } from '../../../lib/leases/table-lease-store.ts';
import { failoverMs, Fleet, type FleetMutation, type SimulatedProcess, stopMs } from '../fleet.ts';
import { type Ailment, healingMs, type History, type Trouble, unfold, type World } from '../history.ts';
import { TableLaws } from '../table-laws.ts';
import { DeliveryLaws } from './laws.ts';
import { ShardModel } from './shard-model.ts';
import { readShard } from './shard-reader.ts';

/** Bugs put in on purpose, to see a law go red. */
export interface Mutation extends FleetMutation {
  readonly lease?: (lease: HeldLease) => HeldLease;
  readonly maxLeases?: number;
  readonly shards?: number;
}

const recordMs = 400;
const shardsMax = 16;
/** What surveys may cost of their budget while pulses show who dies, at least. */
const surveyPart = 0.2;
const troublesInAll = 20;

/** One random history of coordinators whose work is a model. */
export function leaseHistory(
  seed: number,
  mutation: Mutation = {},
  troubles = troublesInAll,
): Promise<History> {
  return unfold(seed, new LeaseWorld(seed, mutation), troubles);
}

/** Coordinators on a stream of which only the shards are real: what matters is who may read, and when. */
class LeaseWorld implements World {
  readonly fleet: Fleet;
  readonly #model: ShardModel;
  readonly #tableLaws: TableLaws;
  readonly #laws: DeliveryLaws;
  readonly #mutation: Mutation;
  readonly #coordinators = new Map<SimulatedProcess, Coordinator>();

  constructor(seed: number, mutation: Mutation) {
    this.#mutation = mutation;
    this.fleet = new Fleet(seed, mutation);
    this.#model = new ShardModel(
      () => this.fleet.clock.monotonic(),
      mutation.shards ?? 1 + this.fleet.pick(4),
      recordMs,
    );
    this.#tableLaws = new TableLaws(this.fleet.breaches);
    this.#laws = new DeliveryLaws(this.#model, this.fleet.breaches, this.#tableLaws);
    this.fleet.lives((process, signal) => this.#coordinator(process).run(signal));
  }

  readonly troubles: readonly Trouble[] = [
    () => this.#reshard((shardId) => this.#model.split(shardId)),
    () => this.#reshard((shardId) => this.#model.merge(shardId)),
  ];

  /** Shares are evened out by surveys, and those wait for their budget (cadence.ts): owned is not yet even. */
  readonly healingMs = (): number => {
    if (this.#unowned() !== undefined) return healingMs;
    const surveyMs = (shardsMax * unitsPerLease * 1_000) / (surveyPart * this.fleet.surveyUnitsPerSecond);
    return healingMs + 1.2 * surveyMs;
  };
  readonly calm = (): void => {};
  readonly judge = (): void => {};

  /** Every open shard is held by a running process, evenly, and every closed one is read. */
  readonly ailment = (): Ailment | undefined => {
    const what = this.#unowned() ?? this.#uneven();
    return what === undefined ? undefined : { law: 'I6 in time', what };
  };

  #held() {
    return this.fleet.running().map((process) => this.#coordinators.get(process)?.snapshot().held ?? []);
  }

  #uneven(): string | undefined {
    const counts = this.#held().map((leases) => leases.length);
    return Math.max(...counts) - Math.min(...counts) > 1 ? `uneven: ${counts.join(', ')}` : undefined;
  }

  #unowned(): string | undefined {
    const owned = new Set(this.#held().flatMap((leases) => leases.map((lease) => lease.shardId)));
    for (const shard of this.#model.all()) {
      const end = this.#model.count(shard);
      const done = shard.closedAtMs !== undefined && this.#laws.deliveredUpTo(shard.shardId) >= end;
      if (!done && !owned.has(shard.shardId)) return `${shard.shardId} has no owner`;
    }
    const left = [...this.fleet.table.items.values()].find((item) => {
      const parsed = parseItem(item);
      return parsed.type === 'lease' && !isFinished(parsed.lease) && !owned.has(parsed.lease.shardId);
    });
    return left === undefined ? undefined : `the lease ${String(left.leaseKey)} has no owner`;
  }

  #coordinator(process: SimulatedProcess): Coordinator {
    const { fleet } = this;
    const coordinator = createCoordinator({
      application: 'simulation',
      workerId: process.id,
      streams: [{ name: 'stream', initial: { type: 'TRIM_HORIZON' } }],
      kinesis: this.#model,
      store: createLeaseStore(fleet.tableOf(process, this.#tableLaws)),
      clock: process.clock,
      random: fleet.random,
      options: {
        failoverMs,
        processId: process.processId,
        isGone: (other) => fleet.isGone(other),
        stopMs,
        maxLeases: this.#mutation.maxLeases ?? Infinity,
        surveyUnitsPerSecond: fleet.surveyUnitsPerSecond,
      },
      events: (event) => fleet.onLeaseEvent(process, event),
      work: (lease) => this.#work(process, this.#mutation.lease?.(lease) ?? lease),
    });
    this.#coordinators.set(process, coordinator);
    return coordinator;
  }

  #work({ clock, id }: SimulatedProcess, lease: HeldLease): Promise<void> {
    const { breaches, random } = this.fleet;
    return readShard(lease, {
      model: this.#model,
      clock,
      random,
      breaches,
      deliver: (_, from, to) => {
        this.fleet.note(`${id} reads ${lease.shardId} ${from}…${to}`);
        this.#laws.onDelivery(id, lease, from, to);
      },
    });
  }

  #reshard(how: (shardId: string) => void): void {
    const shards = this.#model.all();
    const shard = this.fleet.one(shards.filter(({ closedAtMs }) => closedAtMs === undefined));
    if (shard !== undefined && shards.length < shardsMax) how(shard.shardId);
  }
}
