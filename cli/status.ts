import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '../lib/runtime/errors.ts';
import { defineCommand, exitCode } from './command.ts';
import { getJson, queryOption, queryUrl } from './connect.ts';
import { count, table } from './output.ts';
import { UsageError } from './parse.ts';

/** The parts of `/v1/status` that are shown. */
interface Status {
  readonly as_of: string;
  readonly settled: boolean;
  readonly consumers: readonly {
    readonly consumer: string;
    readonly outcomes: Readonly<Record<string, { readonly count: number }>>;
    readonly shards: readonly {
      readonly owner: string | null;
      readonly caught_up: boolean | null;
      readonly behind_ms: number | null;
    }[];
  }[];
}

const askEveryMs = 250;

export const status = defineCommand({
  path: ['status'],
  summary: 'shows what every consumer has done with its records, and how far behind it is',
  positionals: [],
  options: {
    ...queryOption,
    wait: {
      kind: 'text',
      value: 'SECONDS',
      what: 'wait until every consumer has read everything; exit 6 if it has not',
    },
  },
  examples: ['weir status', 'weir status --wait 60 --json'],
  run: async ({ given, output, signal }) => {
    const base = queryUrl(given.query);
    const seconds = given.wait === undefined ? 0 : Number(given.wait);
    if (!(seconds >= 0)) throw new UsageError(`--wait ${given.wait}: give a number of seconds`);
    const current = await untilSettled(base, performance.now() + seconds * 1_000, signal);
    output.result(current, () => render(current));
    if (signal.aborted) return exitCode.interrupted;
    return given.wait !== undefined && !current.settled ? exitCode.checkFailed : exitCode.ok;
  },
});

/** While there is time a platform that does not answer, or not yet, is asked again. */
async function untilSettled(base: string, until: number, signal: AbortSignal): Promise<Status> {
  for (;;) {
    const last = performance.now() >= until || signal.aborted;
    const current = await getJson(base, '/v1/status', signal).catch((error: unknown) => {
      if (last || !(error instanceof PlatformError) || !error.retryable) throw error;
      return undefined;
    });
    if (current !== undefined && (last || (current as Status).settled)) return current as Status;
    await sleep(askEveryMs);
  }
}

function render(status: Status): string {
  const rows = status.consumers.map((consumer) => {
    const caughtUp = consumer.shards.filter((shard) => shard.caught_up === true).length;
    const unowned = consumer.shards.filter((shard) => shard.owner === null).length;
    const behind = Math.max(0, ...consumer.shards.map((shard) => shard.behind_ms ?? 0));
    return [
      consumer.consumer,
      `${caughtUp}/${consumer.shards.length}${unowned > 0 ? ` (${unowned} unowned)` : ''}`,
      `${(behind / 1_000).toFixed(1)} s`,
      Object.entries(consumer.outcomes)
        .map(([outcome, entry]) => `${outcome} ${count(entry.count)}`)
        .join(', ') || 'nothing yet',
    ];
  });
  const columns = [
    { title: 'CONSUMER' },
    { title: 'CAUGHT UP', align: 'right' },
    { title: 'BEHIND', align: 'right' },
    { title: 'OUTCOMES' },
  ] as const;
  const verdict = status.settled ? 'settled: every consumer has read everything' : 'not settled';
  return `${table(columns, rows)}\n${verdict}, as of ${status.as_of}`;
}
