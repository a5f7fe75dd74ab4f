import type { Tally } from '../../lib/consumer/events.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import type { Log } from '../../lib/runtime/log.ts';
import type { ConsumerStatus, PlatformStatus } from './status.ts';

/** Copies that their stamps prove to be second ones: a consumer may see any number of them. */
const notCounted: readonly string[] = ['repeat', 'early'];
const auditEveryMs = 60_000;

/** Two readers of the same streams that do not agree on what they have read. */
export interface Difference {
  readonly between: readonly [string, string];
  readonly counts: readonly [number, number];
  /** 0: the counts agree, the events do not. */
  readonly events: number;
}

/**
 * Compares consumers that read the same streams: when all have read everything, each has seen the same events, so the
 * counts and the digests of their event ids are equal. Undefined while something is still on its way.
 */
export function auditConsumers(status: PlatformStatus): readonly Difference[] | undefined {
  if (!status.settled) return undefined;
  const groups = groupsOf(status.consumers);
  return groups.flatMap(([first, ...others]) =>
    first === undefined ? [] : others.flatMap((other) => differenceOf(first, other)),
  );
}

function groupsOf(consumers: readonly ConsumerStatus[]): readonly (readonly ConsumerStatus[])[] {
  const groups = new Map<string, ConsumerStatus[]>();
  for (const consumer of consumers) {
    const key = JSON.stringify([...consumer.streams].sort());
    groups.set(key, [...(groups.get(key) ?? []), consumer]);
  }
  return [...groups.values()];
}

function differenceOf(a: ConsumerStatus, b: ConsumerStatus): readonly Difference[] {
  const [ofA, ofB] = [total(a.outcomes), total(b.outcomes)];
  if (ofA.count === ofB.count && ofA.digest === ofB.digest) return [];
  const between = [a.consumer, b.consumer] as const;
  return [{ between, counts: [ofA.count, ofB.count], events: Math.abs(ofA.count - ofB.count) }];
}

function total(outcomes: Tally): { readonly count: number; readonly digest: bigint } {
  const entries = Object.entries(outcomes).filter(([outcome]) => !notCounted.includes(outcome));
  return {
    count: entries.reduce((sum, [, entry]) => sum + entry.count, 0),
    digest: BigInt.asUintN(
      128,
      entries.reduce((sum, [, entry]) => sum + BigInt(`0x${entry.digest}`), 0n),
    ),
  };
}

export interface AuditPorts {
  readonly status: (signal: AbortSignal) => Promise<PlatformStatus>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Logs one line per audit; its `difference` (events, at least 1 where only the digests differ) is an alarm's metric. */
export async function auditRegularly({ status, clock, log }: AuditPorts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const differences = auditConsumers(await status(signal));
      if (differences !== undefined) {
        const difference = differences.reduce((sum, { events }) => sum + Math.max(1, events), 0);
        log.info('ledger-audited', { difference, differences });
      }
    } catch (error) {
      // A table or stream that does not answer now is asked again; the API reports the same failure to its callers.
      log.warn('ledger-not-audited', { error });
    }
    await clock.sleep(auditEveryMs, signal);
  }
}
