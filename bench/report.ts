import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';

/** One measured thing: every run's number, and the middle one. */
export interface Result {
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly runs: readonly number[];
  /** What must be known to read the number, e.g. how much was sent. */
  readonly note?: string;
}

export interface Target {
  readonly metric: string;
  readonly target: number;
  readonly actual: number;
  readonly met: boolean;
}

export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly node: string;
  /** Of the last minute, at the end. More than `cpus` means that others took their part of the time. */
  readonly load: number;
}

/** The one document that a benchmark prints. */
export interface BenchReport {
  readonly name: string;
  readonly machine: Machine;
  /** Of the checkout; null outside a git repository. */
  readonly commit: string | null;
  readonly results: readonly Result[];
  readonly targets: readonly Target[];
  /** What was asked for and could not be measured here, and why. */
  readonly notMeasured?: readonly string[];
}

/** One line for people, on stderr. */
export type Progress = (line: string) => void;

export function report(
  name: string,
  results: readonly Result[],
  targets: readonly Target[],
  notMeasured: readonly string[] = [],
): BenchReport {
  const missing = notMeasured.length > 0 ? { notMeasured } : {};
  return { name, machine: machine(), commit: commit(), results, targets, ...missing };
}

/** Nearest rank: the smallest of `values` that at least `part` of them do not exceed. NaN of none. */
export function percentile(values: readonly number[], part: number): number {
  const rank = Math.max(1, Math.ceil(values.length * part));
  return values.toSorted((a, b) => a - b)[rank - 1] ?? Number.NaN;
}

/** `runs` must not be empty; of an even number the lower middle one counts. */
export function result(metric: string, unit: string, runs: readonly number[], note?: string): Result {
  const rounded = runs.map(threeDigits);
  const median = rounded.toSorted((a, b) => a - b)[Math.floor((runs.length - 1) / 2)] ?? Number.NaN;
  return { metric, unit, median, runs: rounded, ...(note === undefined ? {} : { note }) };
}

/** Met when the median is at least `target`. */
export function atLeast(of: Result, target: number): Target {
  return { metric: of.metric, target, actual: of.median, met: of.median >= target };
}

/** Met when the median is at most `target`. */
export function atMost(of: Result, target: number): Target {
  return { metric: of.metric, target, actual: of.median, met: of.median <= target };
}

/** For people: at most 80 columns. */
export function renderTable(of: BenchReport): string {
  const { machine: on } = of;
  const lines = [
    `${of.name} · ${on.cpus} × ${on.cpu.slice(0, 40)} · Node ${on.node} · ${of.commit?.slice(0, 10) ?? 'no commit'}`,
    '',
    `${'metric'.padEnd(46)}${'median'.padStart(11)} unit`,
    ...of.results.map(
      (r) => `${r.metric.padEnd(46).slice(0, 46)}${grouped(r.median).padStart(11)} ${r.unit}`,
    ),
    '',
    ...of.targets.map(
      (t) =>
        `${t.met ? 'met     ' : 'NOT MET '}${t.metric}: ${grouped(t.actual)}, target ${grouped(t.target)}`,
    ),
    ...(of.notMeasured ?? []).map((what) => `NOT MEASURED ${what}`),
  ];
  return `${lines.map((line) => line.slice(0, 80)).join('\n')}\n`;
}

function machine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? 'unknown',
    cpus: all.length,
    memoryBytes: totalmem(),
    node: process.versions.node,
    load: threeDigits(loadavg()[0] ?? Number.NaN),
  };
}

function commit(): string | null {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

function threeDigits(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}
