import {
  begin,
  deadMetricsMs,
  javaFailoverMs,
  join,
  leaderFailoverMs,
  leave,
  loseLease,
  ours,
  oursFailoverMs,
  readiness,
  reshard,
} from './acts.ts';
import type { Kind } from './crew.ts';
import { brokenHandOff, handOff } from './hand-off.ts';
import { joinLed, onlyLeases, partWith, reachesVersion, rollBack } from './led-acts.ts';
import type { Act } from './story.ts';

export interface Story {
  readonly name: string;
  /** Takes many minutes: only where it is asked for. */
  readonly long?: boolean;
  readonly acts: readonly Act[];
}

/** Two fleets: one that was Java's, one that was ours; together they have each meeting and each parting. */
export function kcl2Stories(java: Kind): readonly Story[] {
  return [
    {
      name: 'kcl2-java-first',
      acts: [
        begin('java-a', java),
        join('KCL 2: ours joins and takes its half', 'ours-a', ours),
        leave('KCL 2: ours stops', 'stop', 'ours-a', 'java-a', javaFailoverMs),
        join('KCL 2: ours comes again', 'ours-b', ours),
        reshard('KCL 2: split and merge (joined by ours)'),
        leave('KCL 2: Java is killed', 'kill', 'java-a', 'ours-b', oursFailoverMs),
      ],
    },
    {
      name: 'kcl2-ours-first',
      acts: [
        begin('ours-a', ours),
        join('KCL 2: Java joins and takes its half', 'java-a', java),
        leave('KCL 2: Java stops', 'stop', 'java-a', 'ours-a', oursFailoverMs),
        join('KCL 2: Java comes again', 'java-b', java),
        reshard('KCL 2: split and merge (joined by Java)'),
        leave('KCL 2: ours is killed', 'kill', 'ours-a', 'java-b', javaFailoverMs),
      ],
    },
    {
      // KCL 2 leaves the sync of shards to one owner of leases; of these two it is the first by name: ours.
      name: 'kcl2-ours-syncs',
      acts: [
        begin('java-a', java),
        join('KCL 2: ours joins, and is whom KCL 2 leaves the sync to', 'a-ours', ours),
        reshard('KCL 2: split and merge (ours syncs)'),
        loseLease('KCL 2: a lease of Java is deleted (ours syncs)', 'java-a'),
      ],
    },
  ];
}

/** A fleet on its way from 2.x: the rules of 2.x, with what 3 needs written beside. */
export function kcl3CompatibleStories(java: Kind): readonly Story[] {
  return [
    {
      name: 'kcl3-compat-java-first',
      acts: [
        begin('java-a', java),
        join('KCL 3 compat: ours joins and takes its half', 'ours-a', ours),
        readiness('KCL 3 compat: the fleet is found ready to migrate'),
        leave('KCL 3 compat: ours stops', 'stop', 'ours-a', 'java-a', javaFailoverMs),
        join('KCL 3 compat: ours comes again', 'ours-b', ours),
        reshard('KCL 3 compat: split and merge'),
        leave('KCL 3 compat: Java is killed', 'kill', 'java-a', 'ours-b', oursFailoverMs),
      ],
    },
    {
      name: 'kcl3-compat-ours-first',
      acts: [
        begin('ours-a', ours),
        join('KCL 3 compat: Java joins, takes its half', 'java-a', java),
        leave('KCL 3 compat: Java stops', 'stop', 'java-a', 'ours-a', oursFailoverMs),
        join('KCL 3 compat: Java comes again', 'java-b', java),
        leave('KCL 3 compat: ours is killed', 'kill', 'ours-a', 'java-b', javaFailoverMs),
      ],
    },
    {
      name: 'kcl3-upgrade',
      long: true,
      acts: [
        begin('java-a', java),
        join('KCL 3 upgrade: ours joins and takes its half', 'ours-a', ours),
        reachesVersion('KCL 3 upgrade: the leader ends it', '3X_WITH_ROLLBACK', upgradeMs),
        joinLed('KCL 3 upgrade: another of ours joins', 'ours-b', ours),
        reshard('KCL 3 upgrade: split and merge', 'led'),
        rollBack('KCL 3 upgrade: rolled back'),
        partWith('KCL 3 upgrade: Java is killed', 'kill', 'java-a', oursFailoverMs),
      ],
    },
  ];
}

/** KCL waits ten minutes for a fleet that stays ready, and judges each minute. */
const upgradeMs = 14 * 60_000;
/** A fleet of before 3.5, with tables of its own for what is no lease. Its workers cannot read other items here. */
export function kcl34Stories(java: Kind): readonly Story[] {
  return [
    {
      name: 'kcl34-old-tables',
      acts: [
        begin('java-a', java),
        joinLed('KCL 3.4: ours joins, the leader gives it its share', 'ours-a', ours),
        onlyLeases('KCL 3.4: ours keeps the lease table to leases'),
        leave('KCL 3.4: Java (leader) is killed', 'kill', 'java-a', 'ours-a', oursFailoverMs),
      ],
    },
  ];
}

/** A fleet whose Java leader assigns leases. */
export function kcl3Stories(java: Kind): readonly Story[] {
  return [
    {
      name: 'kcl3-final-java-first',
      acts: [
        begin('java-a', java),
        joinLed('KCL 3: ours joins, the leader gives it its share', 'ours-a', ours),
        handOff('KCL 3: hand-off, Java to ours', 'java-a', 'ours-a'),
        handOff('KCL 3: hand-off, ours to Java', 'ours-a', 'java-a'),
        leave('KCL 3: ours stops', 'stop', 'ours-a', 'java-a', javaFailoverMs),
        joinLed('KCL 3: ours comes again', 'ours-b', ours),
        reshard('KCL 3: split and merge', 'led'),
        leave('KCL 3: Java (leader) is killed', 'kill', 'java-a', 'ours-b', oursFailoverMs),
      ],
    },
    {
      name: 'kcl3-final-ours-first',
      acts: [
        begin('ours-a', ours),
        joinLed('KCL 3: Java joins, and leads', 'java-a', java),
        joinLed('KCL 3: another Java joins', 'java-b', java),
        partWith('KCL 3: Java (leader) stops', 'stop', 'java-a', leaderFailoverMs),
        leave('KCL 3: ours is killed', 'kill', 'ours-a', 'java-b', deadMetricsMs),
      ],
    },
    {
      name: 'kcl3-broken-hand-offs',
      long: true,
      acts: brokenHandOffs(java),
    },
  ];
}

/** Each death is followed by a new worker of the same kind, so that each time somebody of either kind is there. */
function brokenHandOffs(java: Kind): readonly Act[] {
  return [
    begin('java-a', java),
    joinLed('KCL 3 deaths: ours joins', 'ours-a', ours),
    brokenHandOff('KCL 3 deaths: Java to ours, ours dies when it is asked', {
      from: 'java-a',
      to: 'ours-a',
      dies: 'ours-a',
      when: 'asked',
    }),
    joinLed('KCL 3 deaths: ours joins (2)', 'ours-b', ours),
    brokenHandOff('KCL 3 deaths: ours to Java, ours dies when it is asked', {
      from: 'ours-b',
      to: 'java-a',
      dies: 'ours-b',
      when: 'asked',
    }),
    joinLed('KCL 3 deaths: ours joins (3)', 'ours-c', ours),
    brokenHandOff('KCL 3 deaths: ours to Java, Java (leader) dies when it is given', {
      from: 'ours-c',
      to: 'java-a',
      dies: 'java-a',
      when: 'given',
    }),
    joinLed('KCL 3 deaths: Java joins (2)', 'java-b', java),
    brokenHandOff('KCL 3 deaths: Java to ours, Java (leader) dies when it is asked', {
      from: 'java-b',
      to: 'ours-c',
      dies: 'java-b',
      when: 'asked',
    }),
    joinLed('KCL 3 deaths: Java joins (3)', 'java-c', java),
    brokenHandOff('KCL 3 deaths: ours to Java, Java (leader) dies when it is asked', {
      from: 'ours-c',
      to: 'java-c',
      dies: 'java-c',
      when: 'asked',
    }),
  ];
}
