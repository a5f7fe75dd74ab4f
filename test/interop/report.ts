import { invariants } from './checks.ts';
import type { Run } from './story.ts';

const width = 80;
const nameWidth = 46;

/** A row per run, with its notes folded below it; at most 80 columns. */
export function table(runs: readonly Run[]): string {
  const row = (name: string, cells: readonly string[], rest: string): string =>
    `${name.padEnd(nameWidth)} ${cells.map((cell) => cell.padEnd(2)).join(' ')} ${rest}`;
  const rows = runs.flatMap((run) => [
    row(
      run.name,
      invariants.map((invariant) => (run.invariants[invariant] ? 'ok' : 'NO')),
      `${run.seconds.toFixed(1).padStart(6)} ${run.ok ? 'ok' : 'NO'}`,
    ),
    ...fold(run.notes.join('; '), width - 2).map((line) => `  ${line}`),
  ]);
  if (runs.length === 0) return 'NOTHING was run';
  const verdict = runs.every((run) => run.ok) ? 'all hold' : 'NOT all hold';
  return [row('RUN', invariants, '     S'), ...rows, `${runs.length} runs, ${verdict}`].join('\n');
}

function fold(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
