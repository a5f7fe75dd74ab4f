import { deleteLease } from './by-hand.ts';
import type { Kind } from './crew.ts';
import { type Act, type Stage, Unreached } from './story.ts';

/** Short, so that a run is; all intervals of both kinds of worker follow from it. */
export const failoverMs = 5_000;
export const shardCount = 4;

/** A JVM or tsx on a busy laptop. */
const bootMs = 15_000;
/** KCL waits so long, by chance, before it fills an empty lease table. */
const emptyTableMs = 30_000;
/** KCL's taker looks so often: twice the failover time. */
const javaLookMs = 2 * failoverMs + 50;
/** One look to see the last counter, one to find it unchanged, and one tenth of a second per step of dispatch. */
export const javaFailoverMs = 2 * javaLookMs + failoverMs + 3_000;
/** KCL 3 first needs a leader, who looks at the lock each 30 s and takes every lease for fresh at the start. */
export const leaderFailoverMs = 30_000 + javaFailoverMs;
/** For a minute more a KCL 3 leader gives leases to the dead, whose metrics are not old enough yet. */
export const deadMetricsMs = 60_000 + leaderFailoverMs;
/** What the library promises for a dead peer. */
export const oursFailoverMs = failoverMs + 5_000;
/** Who joins gets its half one lease a look; ours looks each 0.3 of the failover time. */
const joinMs = { java: bootMs + (shardCount / 2 + 2) * javaLookMs, ours: bootMs + 2 * failoverMs };

const ours: Kind = { type: 'ours' };

export function begin(id: string, kind: Kind): Act {
  return {
    name: `${id} alone`,
    ownedMs: bootMs + emptyTableMs + javaLookMs,
    play: async (stage) => {
      await stage.start(id, kind);
      return [await allAt(stage, id, bootMs + emptyTableMs + javaLookMs)];
    },
  };
}

/** The newcomer gets its half: ours asks or takes, Java takes one lease a look. */
export function join(name: string, id: string, kind: Kind): Act {
  return {
    name,
    ownedMs: javaFailoverMs,
    play: async (stage) => {
      await stage.start(id, kind);
      return [await balanced(stage, joinMs[kind.type], [id])];
    },
  };
}

/**
 * Every child is read, and then everybody has a share again: by count where shares are counted (after a first look to
 * see the children, KCL 2 takes one lease a look), otherwise as the Java leader finds it right.
 */
export function reshard(name: string, shares: 'counted' | 'led' = 'counted'): Act {
  return {
    name,
    ownedMs: javaFailoverMs,
    play: async (stage) => {
      const what = await stage.scene.reshard();
      const read = await allRead(stage, 2 * javaFailoverMs);
      const members = stage.crew.alive().map(({ id }) => id);
      const even = await (shares === 'led'
        ? shared(stage, ledEvenMs, members)
        : balanced(stage, 3 * javaLookMs, members));
      return [what, read, even];
    },
  };
}

/** `survivor` has all in time: `pauseMs` is the longest that any shard may be without a reader. */
export function leave(
  name: string,
  how: 'stop' | 'kill',
  id: string,
  survivor: string,
  pauseMs: number,
): Act {
  return {
    name,
    ownedMs: pauseMs,
    play: async (stage) => {
      const member = stage.crew.members.get(id);
      if (member === undefined) throw new Error(`Nobody is called ${id}`);
      await member[how]();
      // Begun is not yet seen, and I6 judges the pause itself.
      return [await allAt(stage, survivor, pauseMs + javaLookMs)];
    },
  };
}

/** Each worker of ours compares shards and leases so often. */
const syncMs = 60_000;

/**
 * The item of a lease of `owner` is gone. Where Java leaves the sync to us it is ours to make it again, and to read the
 * shard from its beginning: nobody knows any more how far it was read.
 */
export function loseLease(name: string, owner: string): Act {
  return {
    name,
    ownedMs: 2 * syncMs,
    play: async (stage) => {
      const { log } = stage.scene;
      const [leaseKey] = [...log.items].find(([, item]) => item.leaseOwner?.S === owner) ?? [];
      if (leaseKey === undefined) throw new Unreached(`${owner} has no lease`);
      await deleteLease(stage.scene, leaseKey);
      const after = log.writes.length;
      const maker = (): string | undefined =>
        log.writes.slice(after).find((write) => write.leaseKey === leaseKey && write.item !== undefined)
          ?.writer;
      const note = await stage.until('made again', async () => maker() !== undefined, 2 * syncMs);
      return [`${note} by ${maker()}`, await allRead(stage, 2 * javaFailoverMs)];
    },
  };
}

/**
 * KCL 3's leader evens out in every third of its looks (twice the failover time), by less than the whole difference at
 * once, and each move is a hand-off.
 */
export const ledEvenMs = 5 * 3 * 2 * failoverMs;

/** KCL 3.5 judges once a minute whether its fleet may leave the rules of 2.x; then it would wait ten minutes more. */
const readinessMs = 65_000;

/**
 * Waits for the Java leader's next judgement of the migration, which comes each minute. It asks that each owner of a
 * lease publish metrics, and says so when its judgement changes.
 */
export function readiness(name: string): Act {
  return {
    name,
    ownedMs: javaFailoverMs,
    play: async (stage) => {
      await stage.pass(readinessMs);
      const last = (await stage.said(readinessPattern)).at(-1) ?? 'nothing';
      if (!last.endsWith('true')) throw new Unreached(`KCL says: ${last}`);
      return [`KCL says: ${last}`, foreignItems(stage)];
    },
  };
}

const readinessPattern = /WorkerMetricStats status changed to (?:true|false)/g;

/** What KCL 3 keeps beside the leases, and how its fleet stands. */
export function foreignItems(stage: Stage): string {
  const found = [...stage.scene.log.items.values()].flatMap((item) => {
    const kind = item.entityType?.S ?? 'LEASE';
    return kind === 'LEASE' ? [] : [item.cv?.S ?? item.tm?.S ?? kind];
  });
  return `beside the leases: ${found.sort().join(', ') || 'nothing'}`;
}

export { ours };

async function openShards(stage: Stage): Promise<number> {
  return (await stage.scene.shards()).filter((shard) => shard.endingSequenceNumber === undefined).length;
}

function allAt(stage: Stage, id: string, withinMs: number): Promise<string> {
  const reached = async (): Promise<boolean> => (await stage.shares())[id] === (await openShards(stage));
  return stage.until(`all shards at ${id}`, reached, withinMs);
}

export function allRead(stage: Stage, withinMs: number): Promise<string> {
  const reached = async (): Promise<boolean> => {
    const counts = Object.values(await stage.shares());
    return counts.reduce((sum, count) => sum + count, 0) === (await openShards(stage));
  };
  return stage.until('every open shard read', reached, withinMs);
}

/** All open shards are read, some by each of `members`, and the numbers of two workers differ by at most one. */
export function balanced(stage: Stage, withinMs: number, members: readonly string[]): Promise<string> {
  return stage.until('balanced', () => isShared(stage, members, 1), withinMs);
}

/** The same whatever the numbers: a Java leader goes by throughput, and the shards of a stream differ. */
export function shared(stage: Stage, withinMs: number, members: readonly string[]): Promise<string> {
  return stage.until('shared', () => isShared(stage, members, shardCount), withinMs);
}

async function isShared(stage: Stage, members: readonly string[], apartMax: number): Promise<boolean> {
  const shares = await stage.shares();
  const counts = Object.values(shares);
  const sum = counts.reduce((total, count) => total + count, 0);
  const even = Math.max(...counts) - Math.min(...counts) <= apartMax;
  return sum === (await openShards(stage)) && even && members.every((id) => (shares[id] ?? 0) > 0);
}
