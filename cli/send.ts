import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeJson } from '../lib/event/codec-json.ts';
import type { Event } from '../lib/event/event.ts';
import { systemClock } from '../lib/runtime/clock.ts';
import { type Backoff, retry } from '../lib/runtime/retry.ts';
import { PlatformError } from '../lib/runtime/errors.ts';
import { defineCommand, exitCode } from './command.ts';
import { fetchOrExplain, ingestOption, ingestUrl, problemOf } from './connect.ts';
import { findMapping, type FileEvents, openEvents } from './file-events.ts';
import type { Output } from './output.ts';
import { UsageError } from './parse.ts';

/** What one request may carry: the limits of ingest's `:batch`. */
const batchEventsMax = 500;
const batchBytesMax = 4 * 1_024 * 1_024;
/** About three minutes in all: longer than any restart of ingest. */
const backoff: Backoff = { firstMs: 100, maxMs: 5_000, tries: 40 };
/** Problems shown in full; the rest is counted. */
const shownProblems = 10;

const options = {
  ...ingestOption,
  mapping: {
    kind: 'text',
    value: 'M',
    what: 'a file, or a name in flow/mappings; default: found by the file name',
  },
  rate: { kind: 'text', value: 'N', what: 'at most N events a second' },
  'repeat-batches': { kind: 'flag', what: 'send every batch twice, as a client that lost an answer would' },
  'from-line': { kind: 'text', value: 'N', what: 'begin at data line N (1 is the first): how to resume' },
  'dry-run': { kind: 'flag', what: 'map and check the file, send nothing' },
} as const;

interface Problem {
  readonly line: number;
  readonly problem: string;
}

interface Tally {
  accepted: number;
  repeated: number;
  problems: number;
  readonly shown: Problem[];
  /** The last data line whose fate is known. */
  line: number;
}

interface Batch {
  readonly events: { readonly line: number; readonly bytes: Uint8Array }[];
  bytes: number;
}

export const send = defineCommand({
  path: ['send'],
  summary: 'sends the events of a file to ingest, in order, each with a receipt',
  positionals: ['FILE'],
  options,
  examples: [
    'weir send access.log --mapping apache-access --rate 1000',
    'weir send sales.csv --mapping my-mapping.yaml --dry-run',
  ],
  run: async ({ given, positionals, output, signal }) => {
    const [file = ''] = positionals;
    if (!(await stat(file).catch((error: NodeJS.ErrnoException) => noFile(file, error))).isFile()) {
      throw new UsageError(`${file} is not a file`);
    }
    const mapping = await findMapping(join(import.meta.dirname, '../flow/mappings'), file, given.mapping);
    const plan = {
      url: new URL('/v1/events:batch', ingestUrl(given.ingest)),
      rate: positive('--rate', given.rate),
      fromLine: positive('--from-line', given['from-line']) ?? 1,
      times: given['repeat-batches'] ? 2 : 1,
      dryRun: given['dry-run'],
    };
    output.note(`${file}: mapping ${mapping.name}`);
    const startedAt = performance.now();
    const tally: Tally = { accepted: 0, repeated: 0, problems: 0, shown: [], line: plan.fromLine - 1 };
    await sendAll(openEvents(createReadStream(file), mapping), plan, tally, output, signal);
    const seconds = (performance.now() - startedAt) / 1_000;
    const interrupted = signal.aborted;
    const document = {
      file,
      mapping: mapping.name,
      accepted: tally.accepted,
      repeated: tally.repeated,
      not_accepted: tally.problems,
      problems: tally.shown,
      seconds: Math.round(seconds * 1_000) / 1_000,
      ...(interrupted ? { resume: `--from-line ${tally.line + 1}` } : {}),
    };
    output.result(document, () => summary(document, plan.dryRun));
    if (interrupted) return exitCode.interrupted;
    return tally.problems === 0 ? exitCode.ok : exitCode.failure;
  },
});

interface Plan {
  readonly url: URL;
  readonly rate: number | undefined;
  readonly fromLine: number;
  readonly times: number;
  readonly dryRun: boolean;
}

async function sendAll(
  events: FileEvents,
  plan: Plan,
  tally: Tally,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const progress = output.progress(plan.dryRun ? 'checked' : 'sent');
  const pace = pacer(plan.rate, signal);
  let batch: Batch = { events: [], bytes: 0 };
  const flush = async (): Promise<void> => {
    const { events: full } = batch;
    batch = { events: [], bytes: 0 };
    if (full.length === 0) return;
    await pace(full.length);
    await sendBatch(full, plan, tally, signal);
    progress.add(full.length);
  };
  for await (const entry of events) {
    if (signal.aborted) break;
    if (entry.line < plan.fromLine) continue;
    if ('problem' in entry) {
      addProblem(tally, { line: entry.line, problem: entry.problem });
      continue;
    }
    const bytes = encodeJson(entry.event satisfies Event);
    const full = batch.events.length === batchEventsMax || batch.bytes + bytes.length > batchBytesMax;
    if (full) await flush();
    batch.events.push({ line: entry.line, bytes });
    batch.bytes += bytes.length + 1;
  }
  // After Ctrl-C the batch in hand is not sent: the resume line is the first of it.
  if (!signal.aborted) await flush();
  progress.end();
}

async function sendBatch(
  events: Batch['events'],
  plan: Plan,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  if (!plan.dryRun) {
    for (let time = 0; time < plan.times; time += 1) {
      const answers = await retry(() => post(events, plan.url, signal), {
        backoff,
        retryable: (error) => error instanceof PlatformError && error.retryable,
        clock: systemClock,
        signal,
      });
      if (time > 0) tally.repeated += answers.filter((answer) => answer.status === 202).length;
      else count(events, answers, tally);
    }
  }
  tally.line = events.at(-1)?.line ?? tally.line;
}

interface ItemAnswer {
  readonly status: number;
  readonly errors?: readonly { readonly detail: string; readonly pointer?: string }[];
}

/** A batch that was taken in part is sent again as a whole, which keeps its order; the router drops the repeats. */
async function post(events: Batch['events'], url: URL, signal: AbortSignal): Promise<readonly ItemAnswer[]> {
  const texts = events.map(({ bytes }) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
  );
  const headers = { 'content-type': 'application/json' };
  const response = await fetchOrExplain(
    url,
    { method: 'POST', headers, body: `[${texts.join(',')}]` },
    signal,
  );
  if (response.status !== 202 && response.status !== 207) throw await problemOf(response, url);
  const { items } = (await response.json()) as { readonly items: readonly ItemAnswer[] };
  const untaken = items.filter((item) => item.status >= 500).length;
  if (untaken === 0) return items;
  throw new PlatformError('not-taken', `The stream did not take ${untaken} events`, { retryable: true });
}

function count(events: Batch['events'], answers: readonly ItemAnswer[], tally: Tally): void {
  for (const [at, answer] of answers.entries()) {
    if (answer.status === 202) tally.accepted += 1;
    else {
      const reasons = (answer.errors ?? []).map((error) => `${error.pointer ?? ''} ${error.detail}`.trim());
      addProblem(tally, {
        line: events[at]?.line ?? 0,
        problem: reasons.join('; ') || `refused (${answer.status})`,
      });
    }
  }
}

function addProblem(tally: Tally, problem: Problem): void {
  tally.problems += 1;
  if (tally.shown.length < shownProblems) tally.shown.push(problem);
}

/** Waits so that no more than `rate` events a second go out, on average since the start. */
function pacer(rate: number | undefined, signal: AbortSignal): (events: number) => Promise<void> {
  const startedAt = systemClock.monotonic();
  let due = 0;
  return async (events) => {
    if (rate === undefined) return;
    await systemClock.sleep(startedAt + due - systemClock.monotonic(), signal);
    due += (events * 1_000) / rate;
  };
}

interface Summary {
  readonly accepted: number;
  readonly repeated: number;
  readonly not_accepted: number;
  readonly problems: readonly Problem[];
  readonly seconds: number;
  readonly resume?: string;
}

function summary(sent: Summary, dryRun: boolean): string {
  const did = dryRun ? 'checked, nothing sent' : `${sent.accepted} accepted in ${sent.seconds} s`;
  const twice = sent.repeated > 0 ? `, ${sent.repeated} sent twice` : '';
  return [
    `${did}${twice}, ${sent.not_accepted} not accepted`,
    ...sent.problems.map((problem) => `  line ${problem.line}: ${problem.problem}`),
    ...(sent.not_accepted > sent.problems.length ? ['  …'] : []),
    ...(sent.resume === undefined ? [] : [`interrupted; go on with  ${sent.resume}`]),
  ].join('\n');
}

function noFile(file: string, error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOENT') throw new UsageError(`There is no file ${file}`);
  throw error;
}

function positive(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new UsageError(`${flag} ${text}: give a number above 0`);
  return value;
}
