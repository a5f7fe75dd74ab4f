import {
  begin,
  javaFailoverMs,
  join,
  leaderFailoverMs,
  leave,
  ours,
  oursFailoverMs,
  readiness,
  reshard,
  watch,
} from './acts.ts';
import type { Kind } from './crew.ts';
import { handOff } from './hand-off.ts';
import type { Act } from './story.ts';

export interface Story {
  readonly name: string;
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
  ];
}

/** A fleet on its way from 2.x: the rules of 2.x, with what 3 needs written beside. */
export function kcl3CompatibleStories(java: Kind): readonly Story[] {
  return [
    {
      name: 'kcl3-compat-java-first',
      acts: [
        begin('java-a', java),
        readiness('KCL 3 compat: Java alone is ready to migrate', true),
        join('KCL 3 compat: ours joins and takes its half', 'ours-a', ours),
        readiness('KCL 3 compat: ours blocks the migration', false),
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
  ];
}

/** Three looks of the Java leader, and the third one balances. */
const watchMs = 60_000;

/** A fleet whose Java leader assigns leases. Ours does not publish metrics, so nothing is promised but safety. */
export function kcl3Stories(java: Kind): readonly Story[] {
  return [
    {
      name: 'kcl3-final-java-first',
      acts: [
        begin('java-a', java),
        watch('KCL 3: ours joins', 'ours-a', ours, watchMs),
        handOff('KCL 3: hand-off, Java to ours', 'java-a', 'ours-a'),
        handOff('KCL 3: hand-off, ours to Java', 'ours-a', 'java-a'),
        leave('KCL 3: ours stops', 'stop', 'ours-a', 'java-a', javaFailoverMs),
        watch('KCL 3: ours comes again', 'ours-b', ours, watchMs / 2),
        reshard('KCL 3: split and merge'),
        leave('KCL 3: Java (leader) is killed', 'kill', 'java-a', 'ours-b', oursFailoverMs),
      ],
    },
    {
      name: 'kcl3-final-ours-first',
      acts: [
        begin('ours-a', ours),
        watch('KCL 3: Java joins', 'java-a', java, watchMs),
        watch('KCL 3: another Java joins', 'java-b', java, watchMs),
        leave('KCL 3: Java (leader) stops', 'stop', 'java-a', 'ours-a', oursFailoverMs),
        leave('KCL 3: ours is killed', 'kill', 'ours-a', 'java-b', leaderFailoverMs),
      ],
    },
  ];
}
