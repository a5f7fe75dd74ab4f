/** Data goes to stdout and nothing else does; progress and notes go to stderr. */
export interface Output {
  readonly json: boolean;
  /** One JSON document, with --json; otherwise the text for people. */
  readonly result: (document: unknown, forPeople: () => string) => void;
  readonly note: (text: string) => void;
  readonly progress: (what: string, total?: number) => Progress;
}

export interface Progress {
  readonly add: (count: number) => void;
  /** Prints the last line. */
  readonly end: () => void;
}

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** A person watches stderr, so a line may be drawn again and again. */
  readonly live: boolean;
  readonly nowMs: () => number;
}

const livePaintMs = 200;
const plainPaintMs = 10_000;

export function createOutput(
  terminal: Terminal,
  flags: { readonly json: boolean; readonly quiet: boolean },
): Output {
  return {
    json: flags.json,
    result: (document, forPeople) =>
      terminal.out(flags.json ? `${JSON.stringify(document, null, 2)}\n` : `${forPeople()}\n`),
    note: (text) => {
      if (!flags.quiet) terminal.err(`${text}\n`);
    },
    progress: (what, total) => createProgress(terminal, flags.quiet, what, total),
  };
}

function createProgress(
  terminal: Terminal,
  quiet: boolean,
  what: string,
  total: number | undefined,
): Progress {
  const startedAt = terminal.nowMs();
  const everyMs = terminal.live ? livePaintMs : plainPaintMs;
  let done = 0;
  let paintedAt = startedAt;
  const paint = (last: boolean): void => {
    if (quiet) return;
    const text = progressLine(what, done, total, terminal.nowMs() - startedAt);
    if (terminal.live) terminal.err(`\r\x1b[K${text}${last ? '\n' : ''}`);
    else terminal.err(`${text}\n`);
  };
  return {
    add: (count) => {
      done += count;
      if (terminal.nowMs() - paintedAt < everyMs) return;
      paintedAt = terminal.nowMs();
      paint(false);
    },
    end: () => paint(true),
  };
}

/** `sent 12,000/49,474 (24 %), 3,100/s, 12 s left` */
export function progressLine(what: string, done: number, total: number | undefined, tookMs: number): string {
  const rate = tookMs > 0 ? (done * 1_000) / tookMs : 0;
  const perSecond = `${count(Math.round(rate))}/s`;
  if (total === undefined) return `${what} ${count(done)}, ${perSecond}`;
  const percent = total === 0 ? 100 : Math.floor((done * 100) / total);
  const left = rate > 0 && done < total ? `, ${Math.ceil((total - done) / rate)} s left` : '';
  return `${what} ${count(done)}/${count(total)} (${percent} %), ${perSecond}${left}`;
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const pageWidth = 80;
const gap = 2;

/** A table that fits 80 columns: the widest left-aligned column gives way, cut with `…`. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...rows.map((row) => (row[at] ?? '').length)),
  );
  const excess = widths.reduce((sum, width) => sum + width + gap, -gap) - pageWidth;
  if (excess > 0) {
    const widest = columns.reduce(
      (best, column, at) => (column.align !== 'right' && (widths[at] ?? 0) > (widths[best] ?? 0) ? at : best),
      columns.findIndex((column) => column.align !== 'right'),
    );
    widths[widest] = Math.max(8, (widths[widest] ?? 0) - excess);
  }
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        const cut = cell.length > width ? `${cell.slice(0, width - 1)}…` : cell;
        return columns[at]?.align === 'right' ? cut.padStart(width) : cut.padEnd(width);
      })
      .join(' '.repeat(gap))
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...rows.map(line)].join('\n');
}
