import { begin, join, leave, ours, reshard } from './acts.ts';
import type { Kind } from './crew.ts';
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
        reshard('KCL 2: split and merge (joined by ours)'),
        leave('KCL 2: ours stops', 'stop', 'ours-a', 'java-a'),
        join('KCL 2: ours comes again', 'ours-b', ours),
        leave('KCL 2: Java is killed', 'kill', 'java-a', 'ours-b'),
      ],
    },
    {
      name: 'kcl2-ours-first',
      acts: [
        begin('ours-a', ours),
        join('KCL 2: Java joins and takes its half', 'java-a', java),
        reshard('KCL 2: split and merge (joined by Java)'),
        leave('KCL 2: Java stops', 'stop', 'java-a', 'ours-a'),
        join('KCL 2: Java comes again', 'java-b', java),
        leave('KCL 2: ours is killed', 'kill', 'ours-a', 'java-b'),
      ],
    },
  ];
}
