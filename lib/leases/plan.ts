import { compareCheckpoints } from './checkpoint.ts';
import type { Checkpoint } from './held-lease.ts';

/** A lease that is not finished and not waiting for its parents, as the planner sees it. */
export interface PlannedLease {
  readonly leaseKey: string;
  /** Who has it, or will have it once a hand-off under way is over; undefined: free to be taken. */
  readonly owner: string | undefined;
  /** How long it has been free. */
  readonly freeForMs: number;
  /** A hand-off may be asked for: none is under way, and the owner has taken it up. */
  readonly movable: boolean;
  /** Its owner has had it long enough for its throughput to be a reason to move it. */
  readonly settled: boolean;
  /** Undefined where nobody has measured it: the owner does not (KCL 2), or has not yet. */
  readonly throughputKBps: number | undefined;
  readonly checkpoint: Checkpoint;
}

export interface PlanInput {
  readonly me: string;
  /** Live workers, this one included. */
  readonly workers: readonly string[];
  readonly leases: readonly PlannedLease[];
  /** Of this worker. The others' limits are not known and taken to be the same. */
  readonly maxLeases: number;
  /** A free lease that another worker should take is taken by this one after so long. */
  readonly graceMs: number;
}

/** For the whole fleet: who should take which free lease, and ask for which that another has. */
export interface Plan {
  readonly takes: readonly { readonly leaseKey: string; readonly to: string }[];
  readonly asks: readonly { readonly leaseKey: string; readonly from: string; readonly to: string }[];
  /** Free leases that stay because this worker is full. */
  readonly waiting: number;
}

/**
 * A lease moves only if the gap between two workers exceeds its weight by half: so every move shrinks the imbalance,
 * and a plan made again right after finds nothing to do.
 */
const hysteresis = 1.5;

/** A hundredth of what a shard takes in. Where the mean is below, differences are chance, and nothing moves for them. */
const quietKBps = 10;

/**
 * What should be taken by whom. Each worker plans for the whole fleet, by the same rules from nearly the same view,
 * and carries out its own part: so they rarely reach for the same lease, and where they do the conditional write
 * decides.
 */
export function plan(input: PlanInput): Plan {
  const fleet = createFleet(input);
  const takes: { leaseKey: string; to: string }[] = [];
  let waiting = 0;
  const free = input.leases.filter(({ owner }) => owner === undefined);
  for (const lease of free.length > fleet.room() ? furthestBackFirst(free) : inOrder(fleet, free)) {
    const overdue = lease.freeForMs >= input.graceMs && !fleet.full(input.me);
    const to = overdue ? input.me : fleet.lightest(lease.leaseKey);
    if (to === undefined) {
      waiting += 1;
      continue;
    }
    fleet.put(lease, to);
    takes.push({ leaseKey: lease.leaseKey, to });
  }
  // While leases are on their way to or from a worker that is not counted, the balance is not known.
  const known = new Set(input.workers);
  const onTheWay = input.leases.some(({ owner }) => owner !== undefined && !known.has(owner));
  return { takes, asks: onTheWay ? [] : rebalance(fleet), waiting };
}

/** To whom each of a stopping worker's leases goes. Empty where there is nobody. */
export function handovers(
  leases: readonly PlannedLease[],
  from: string,
  peers: readonly string[],
): ReadonlyMap<string, string> {
  const others = leases.filter((lease) => lease.owner !== from);
  const fleet = createFleet({ workers: peers, leases: others, maxLeases: Infinity });
  const targets = new Map<string, string>();
  for (const lease of inOrder(
    fleet,
    leases.filter((candidate) => candidate.owner === from),
  )) {
    const to = fleet.lightest(lease.leaseKey);
    if (to === undefined) continue;
    fleet.put(lease, to);
    targets.set(lease.leaseKey, to);
  }
  return targets;
}

interface Fleet {
  readonly workers: readonly string[];
  readonly load: (worker: string) => number;
  readonly leasesOf: (worker: string) => readonly PlannedLease[];
  readonly weight: (lease: PlannedLease) => number;
  readonly full: (worker: string) => boolean;
  /** How many more leases all workers together may hold. */
  readonly room: () => number;
  readonly put: (lease: PlannedLease, worker: string) => void;
  readonly take: (lease: PlannedLease, worker: string) => void;
  readonly lightest: (leaseKey: string) => string | undefined;
}

function createFleet({ workers, leases, maxLeases }: Omit<PlanInput, 'me' | 'graceMs'>): Fleet {
  const measured = leases.flatMap((lease) => lease.throughputKBps ?? []);
  const mean = measured.reduce((sum, kBps) => sum + kBps, 0) / Math.max(1, measured.length);
  // Half count, half traffic: idle shards cost something too. What was not measured weighs as much as the mean.
  const scale = Math.max(mean, quietKBps);
  const weight = ({ throughputKBps = mean }: PlannedLease): number => (1 + throughputKBps / scale) / 2;
  const held = new Map<string, PlannedLease[]>(workers.map((worker) => [worker, []]));
  const loads = new Map<string, number>(workers.map((worker) => [worker, 0]));
  const leasesOf = (worker: string): PlannedLease[] => held.get(worker) ?? [];
  const load = (worker: string): number => loads.get(worker) ?? 0;
  const full = (worker: string): boolean => leasesOf(worker).length >= maxLeases;
  const put = (lease: PlannedLease, worker: string): void => {
    leasesOf(worker).push(lease);
    loads.set(worker, load(worker) + weight(lease));
  };
  for (const lease of leases) {
    if (lease.owner !== undefined && held.has(lease.owner)) put(lease, lease.owner);
  }
  return {
    workers,
    load,
    leasesOf,
    weight,
    full,
    room: () => workers.reduce((sum, worker) => sum + Math.max(0, maxLeases - leasesOf(worker).length), 0),
    put,
    take: (lease, worker) => {
      leasesOf(worker).splice(leasesOf(worker).indexOf(lease), 1);
      loads.set(worker, load(worker) - weight(lease));
    },
    lightest: (leaseKey) => {
      let least = Number.POSITIVE_INFINITY;
      let alike: string[] = [];
      // One pass, and ties looked at after it: a plan for 5,000 leases and 50 workers asks 5,000 times.
      for (const worker of workers) {
        const loaded = load(worker);
        if (loaded > least || full(worker)) continue;
        if (loaded < least) alike = [];
        least = loaded;
        alike.push(worker);
      }
      const ties =
        alike.length === 1 ? [] : alike.map((worker) => ({ worker, at: spread(leaseKey, worker) }));
      return best(ties, (a, b) => a.at - b.at)?.worker ?? alike[0];
    },
  };
}

/** Moves leases from heavy to light workers until no move helps. */
function rebalance(fleet: Fleet): Plan['asks'] {
  const asks: { leaseKey: string; from: string; to: string }[] = [];
  for (;;) {
    const to = fleet.lightest('');
    const move = to === undefined ? undefined : findMove(fleet, to);
    if (to === undefined || move === undefined) return asks;
    const { lease, from } = move;
    fleet.take(lease, from);
    fleet.put({ ...lease, movable: false }, to);
    asks.push({ leaseKey: lease.leaseKey, from, to });
  }
}

/** The heaviest lease that still makes the gap smaller, from the heaviest worker that has one. */
function findMove(
  fleet: Fleet,
  to: string,
): { readonly lease: PlannedLease; readonly from: string } | undefined {
  const heavyFirst = [...fleet.workers].sort((a, b) => fleet.load(b) - fleet.load(a) || compareText(a, b));
  for (const from of heavyFirst) {
    const gap = fleet.load(from) - fleet.load(to);
    // Of two workers whose counts differ by less, one only moves a lease for its traffic.
    const uneven = fleet.leasesOf(from).length - fleet.leasesOf(to).length >= 2;
    const movable = fleet
      .leasesOf(from)
      .filter(
        (lease) => lease.movable && (lease.settled || uneven) && fleet.weight(lease) * hysteresis < gap,
      );
    const lease = best(
      movable,
      (a, b) => fleet.weight(b) - fleet.weight(a) || spread(a.leaseKey, to) - spread(b.leaseKey, to),
    );
    if (lease !== undefined) return { lease, from };
  }
  return undefined;
}

/** Heavy ones first, then in an order that is the same for every worker. */
function inOrder(fleet: Fleet, leases: readonly PlannedLease[]): readonly PlannedLease[] {
  return [...leases].sort((a, b) => fleet.weight(b) - fleet.weight(a) || compareText(a.leaseKey, b.leaseKey));
}

/**
 * Where some have to wait: whose data is nearest to being trimmed goes first. Sequence numbers of different shards
 * grow with time; that is not promised, and good enough for a preference.
 */
function furthestBackFirst(leases: readonly PlannedLease[]): readonly PlannedLease[] {
  return [...leases].sort(
    (a, b) => compareCheckpoints(a.checkpoint, b.checkpoint) || compareText(a.leaseKey, b.leaseKey),
  );
}

function best<T>(items: readonly T[], order: (a: T, b: T) => number): T | undefined {
  return items.reduce<T | undefined>(
    (found, item) => (found === undefined || order(item, found) < 0 ? item : found),
    undefined,
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** FNV-1a: breaks ties differently per lease, and alike on every worker. */
function spread(leaseKey: string, worker: string): number {
  let hash = 0x811c9dc5;
  for (const character of `${leaseKey} ${worker}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return hash >>> 0;
}
