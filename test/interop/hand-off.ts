import { allRead, failoverMs } from './acts.ts';
import { askHandOff } from './by-hand.ts';
import { ownerOf } from './checks.ts';
import { type Act, type Stage, Unreached } from './story.ts';

/**
 * The owner's next renewal, what is in its hands, and the other's discovery (KCL 3: twice the failover time); doubled
 * for a busy machine.
 */
const handOffMs = 40_000;
/** What KCL gives an owner to hand over, and a failover time; then the leader's looks, the other's, and a death. */
const brokenHandOffMs = 30_000 + 8 * failoverMs;

/** A graceful hand-off that is asked for as a KCL 3 leader does it. */
export function handOff(name: string, from: string, to: string): Act {
  return {
    name,
    ownedMs: handOffMs,
    play: async (stage) => {
      const leaseKey = chosen(stage, from);
      await askHandOff(stage.scene, leaseKey, from, to);
      const before = (await stage.shares())[to] ?? 0;
      const reached = async (): Promise<boolean> => {
        const item = stage.scene.log.items.get(leaseKey);
        const begun = ((await stage.shares())[to] ?? 0) > before;
        return item?.checkpointOwner === undefined && ownerOf(item) === to && begun;
      };
      const note = await stage.until(`${leaseKey} went from ${from} to ${to}`, reached, handOffMs);
      const ended = stage.crew.lines.findLast((line) => {
        return line.event === 'end' && line.worker === from && line.shard === leaseKey;
      });
      return [note, `${from} ended it: ${ended?.event === 'end' ? ended.why : 'not said'}`];
    },
  };
}

/** Who dies, and in which step: when the hand-off was asked for, or when the owner has given the lease away. */
export interface Death {
  readonly from: string;
  readonly to: string;
  readonly dies: string;
  readonly when: 'asked' | 'given';
}

/** Somebody is killed in the middle of a hand-off; every shard is read again in time. */
export function brokenHandOff(name: string, { dies, from, to, when }: Death): Act {
  return {
    name,
    ownedMs: brokenHandOffMs,
    play: async (stage) => {
      const leaseKey = chosen(stage, from);
      await askHandOff(stage.scene, leaseKey, from, to);
      const given = async (): Promise<boolean> => {
        return stage.scene.log.items.get(leaseKey)?.checkpointOwner === undefined;
      };
      if (when === 'given') await stage.until('given', given, handOffMs);
      const item = stage.scene.log.items.get(leaseKey);
      await stage.crew.members.get(dies)?.kill();
      const state = `then the item named ${item?.leaseOwner?.S}, held by ${ownerOf(item)}`;
      return [state, await allRead(stage, brokenHandOffMs)];
    },
  };
}

/** An open lease that `from` holds, and reads. */
function chosen(stage: Stage, from: string): string {
  const held = [...stage.scene.log.items].find(([, item]) => {
    const open = item.checkpoint !== undefined && item.checkpoint.S !== 'SHARD_END';
    return open && item.leaseOwner?.S === from && item.checkpointOwner === undefined;
  });
  if (held === undefined) throw new Unreached(`${from} has no lease to hand over`);
  return held[0];
}
