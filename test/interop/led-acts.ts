import { allRead, balanced, failoverMs, foreignItems, javaFailoverMs, ledEvenMs, shared } from './acts.ts';
import { rollBackVersion } from './by-hand.ts';
import { ownersOverTime } from './checks.ts';
import type { Kind } from './crew.ts';
import type { Write } from './lease-log.ts';
import { type Act, type Stage, Unreached } from './story.ts';

/** The newcomer gets its share from the Java leader; ours robs nobody. */
export function joinLed(name: string, id: string, kind: Kind): Act {
  return {
    name,
    ownedMs: javaFailoverMs,
    play: async (stage) => {
      const fromMs = Date.now();
      await stage.start(id, kind);
      return [await shared(stage, ledEvenMs, [id]), ...movesSince(stage, fromMs), foreignItems(stage)];
    },
  };
}

/** All that the workers that are left have to do is that every shard is read again. */
export function partWith(name: string, how: 'stop' | 'kill', id: string, pauseMs: number): Act {
  return {
    name,
    ownedMs: pauseMs,
    play: async (stage) => {
      await stage.crew.members.get(id)?.[how]();
      return [await allRead(stage, pauseMs + 2 * failoverMs)];
    },
  };
}

/** How leases have moved, and by whose hand. Throws Unreached if a living owner was robbed by ours. */
function movesSince(stage: Stage, fromMs: number): readonly string[] {
  const { log } = stage.scene;
  const since = log.writes.filter(({ at }) => at >= fromMs);
  // The first turn of a lease is its creation, and the only one of what is no lease.
  const moves = [...ownersOverTime(log.writes)].flatMap(([, turns]) =>
    turns.slice(1).filter((turn) => turn.fromMs >= fromMs),
  );
  const askers = new Set(since.flatMap((write) => (asksHandOff(write) ? [write.writer] : [])));
  const robbed = since.filter((write) => robs(write) && isOurs(stage, write.writer));
  if (robbed.length > 0) throw new Unreached(`${robbed.length} leases were taken by force by ours`);
  return [
    `${moves.length} changes of owner`,
    `hand-offs asked by ${[...askers].sort().join(', ') || 'nobody'}`,
  ];
}

function isOurs(stage: Stage, id: string): boolean {
  return stage.crew.members.get(id)?.kind.type === 'ours';
}

function asksHandOff({ before, item }: Write): boolean {
  return item?.checkpointOwner !== undefined && before?.checkpointOwner === undefined;
}

/** The item named somebody else right before, and this is no request to hand over. */
function robs({ before, item, writer }: Write): boolean {
  const [from, to] = [before?.leaseOwner?.S, item?.leaseOwner?.S];
  const taken = to === writer && from !== undefined && from !== writer;
  return taken && item?.checkpointOwner === undefined && before?.checkpoint?.S !== 'SHARD_END';
}

/** The leader's migration says that the fleet has come to `version` (`cv` without its prefix). */
export function reachesVersion(name: string, version: string, withinMs: number): Act {
  return {
    name,
    ownedMs: javaFailoverMs,
    play: async (stage) => {
      const cv = `CLIENT_VERSION_${version}`;
      const reached = async (): Promise<boolean> => stage.scene.log.items.get('Migration3.0')?.cv?.S === cv;
      const note = await stage.until(version, reached, withinMs);
      const fromMs = Date.now();
      const even = await shared(stage, ledEvenMs, []);
      return [note, even, ...movesSince(stage, fromMs), foreignItems(stage)];
    },
  };
}

/** Each worker looks once a minute how the fleet stands, more or less. */
const followedMs = 90_000;

/** Everybody is back at the rules of 2, and nothing is lost on the way. */
export function rollBack(name: string): Act {
  return {
    name,
    ownedMs: javaFailoverMs,
    play: async (stage) => {
      await rollBackVersion(stage.scene);
      await stage.pass(followedMs);
      const metrics = [...stage.scene.log.items.keys()].filter((key) => isOurs(stage, key));
      if (metrics.length > 0) throw new Unreached(`still there: metrics of ${metrics.join(', ')}`);
      return [await balanced(stage, 3 * javaFailoverMs, []), foreignItems(stage)];
    },
  };
}

/** Nobody has ever put anything else into the lease table. */
export function onlyLeases(name: string): Act {
  return {
    name,
    ownedMs: javaFailoverMs,
    play: async (stage) => {
      const others = stage.scene.log.writes.filter(
        ({ item }) => (item?.entityType?.S ?? 'LEASE') !== 'LEASE',
      );
      if (others.length > 0) throw new Unreached(`${others[0]?.writer} wrote ${others[0]?.leaseKey}`);
      return [foreignItems(stage)];
    },
  };
}
