import type { Timings } from './timings.ts';

/** What one worker watches between its surveys, so that it notices who dies. */
export type Watch =
  /** Its surveys show everything. */
  | { readonly type: 'surveys' }
  /** No pulses in this table: the first lease, whose holder is on duty, in case both on duty die. */
  | { readonly type: 'first lease'; readonly everyMs: number }
  | { readonly type: 'all pulses'; readonly everyMs: number }
  /** The pulse of the process that comes right before this one: who has nobody before it is on duty. */
  | { readonly type: 'pulse before'; readonly of: string; readonly everyMs: number };

/** How often one worker looks, and for whom it acts. */
export interface Cadence {
  /**
   * `each`: every worker surveys the table and sees to its own part. `duty`: this worker surveys and acts for the whole
   * fleet. `relieved`: somebody else is on duty; this worker reads what names it, and the table rarely.
   */
  readonly role: 'each' | 'duty' | 'relieved';
  readonly surveyMs: number;
  /** How often the own index is read, unless something is expected. */
  readonly pollMs: number;
  /** The same where leases are given by somebody who rings no bell: the leader of a KCL 3 fleet. */
  readonly unrungPollMs: number;
  /** How long a lease may lie with a worker that has not taken it up. Nobody works on it meanwhile. */
  readonly offerMs: number;
  readonly watch: Watch;
  /** The fleet is so large that its processes should mark pulses. */
  readonly large: boolean;
}

export interface FleetSize {
  readonly me: string;
  readonly workers: number;
  readonly leases: number;
  /** Leases that this worker holds. */
  readonly held: number;
  /** Owners of the leases in the order of their keys. */
  readonly ownersInOrder: Iterable<string>;
  /** Undefined where the table has no index of pulses. */
  readonly pulses: PulseRanks | undefined;
}

export interface PulseRanks {
  readonly incarnation: string;
  /** All incarnations that are alive by their pulses. */
  readonly alive: readonly string[];
  /** Some leases are held by a process without a pulse: of Java, or one that has just begun. Only surveys show its end. */
  readonly missing: boolean;
}

/** Eventually consistent, at 400 bytes a lease: a page of 4 KiB for half a unit. */
export const unitsPerLease = 0.05;
/** A worker without leases surveys so many times less often than others. */
const idleSurveys = 2;
/** Own-index queries of the whole fleet each second, half a unit each, of workers with few leases. */
const pollsPerSecond = 10;
/** With so many leases a worker soon hears whoever rings for it, and hardly needs to ask. */
const audibleLeases = 16;

/** While pulses show who dies, surveys may cost this part; alone, where nothing changes but by this worker, half of it. */
const slowPart = 0.4;
/** A relieved worker keeps a picture for its part of the shard sync, and for its metrics. */
const relievedSurveyMs = 3_600_000;
/** Without pulses: relieved workers may cost this part of what surveys may, all together, and look at least so often. */
const relievedPart = 0.125;
const relievedMaxMs = 600_000;
/** Without pulses: two, so that the death of one is noticed as fast as any other. */
const onDuty = 2;
/** Each worker watches the one before it half as often as that one watches; the last ones at least so often. */
const watchMaxMs = 120_000;

/**
 * A survey costs by the number of leases, and so much times the number of workers. While that is cheap everybody makes
 * its own. Beyond, one or two make them for all, and no election is needed: by pulses it is the first incarnation in
 * their order, which sees that nobody is before it; without them, whoever holds the first leases, and if one of them
 * dies the other takes those leases, and the duty with them.
 */
export function cadenceFor(timings: Timings, fleet: FleetSize): Cadence {
  const { failoverMs, renewMs, surveyMs, surveyUnitsPerSecond } = timings;
  const askMs = Math.max(timings.pollMs, (fleet.workers * 1_000) / pollsPerSecond);
  const scanUnits = fleet.leases * unitsPerLease;
  const looks = {
    pollMs: fleet.held < audibleLeases ? askMs : Math.max(askMs, 3 * failoverMs),
    unrungPollMs: askMs,
    // Three looks of a worker that asks; one that listens hears the bell by its next renewals.
    offerMs: Math.max(3 * askMs, fleet.leases < audibleLeases ? 0 : renewMs + 2 * timings.pollMs),
    large: fleet.workers * scanUnits * 1_000 > surveyUnitsPerSecond * surveyMs,
  };
  const surveys = { role: 'each', watch: { type: 'surveys' } } as const;
  if (!looks.large) return { ...looks, ...surveys, surveyMs };
  // Who holds nothing is known to nobody: it has to see to its share itself.
  if (fleet.held === 0) return { ...looks, ...surveys, surveyMs: idleSurveys * surveyMs };
  const duty = fleet.pulses === undefined ? dutyByLeases : dutyByPulses;
  return { ...looks, ...duty(timings, fleet, scanUnits) };
}

type Duty = Pick<Cadence, 'role' | 'surveyMs' | 'watch'>;

function slowSurveyMs(
  { surveyMs, surveyUnitsPerSecond }: Timings,
  { workers }: FleetSize,
  scanUnits: number,
): number {
  const unitsPerSecond = surveyUnitsPerSecond * (workers === 1 ? slowPart / 2 : slowPart);
  return Math.max(surveyMs, (scanUnits * 1_000) / unitsPerSecond);
}

function dutyByPulses(timings: Timings, fleet: FleetSize, scanUnits: number): Duty {
  const { pulseMs, surveyMs } = timings;
  const { alive, incarnation, missing } = fleet.pulses ?? { alive: [], incarnation: '', missing: true };
  const before = alive.filter((other) => other < incarnation).sort();
  const of = before.at(-1);
  if (of === undefined) {
    const watch = { type: 'all pulses', everyMs: pulseMs } as const;
    return { role: 'duty', surveyMs: missing ? surveyMs : slowSurveyMs(timings, fleet, scanUnits), watch };
  }
  const everyMs = Math.min(watchMaxMs, pulseMs * 2 ** (before.length - 1));
  return { role: 'relieved', surveyMs: relievedSurveyMs, watch: { type: 'pulse before', of, everyMs } };
}

function dutyByLeases(timings: Timings, fleet: FleetSize, scanUnits: number): Duty {
  const { failoverMs, surveyMs, surveyUnitsPerSecond } = timings;
  // Alone there is nobody to watch, and a worker that joins asks for its share by itself.
  if (fleet.workers === 1) {
    return { role: 'each', surveyMs: slowSurveyMs(timings, fleet, scanUnits), watch: { type: 'surveys' } };
  }
  const watch = { type: 'first lease', everyMs: failoverMs } as const;
  if ([...new Set(fleet.ownersInOrder)].slice(0, onDuty).includes(fleet.me)) {
    return { role: 'duty', surveyMs, watch };
  }
  const eachMs = (fleet.workers * scanUnits * 1_000) / surveyUnitsPerSecond;
  return { role: 'relieved', surveyMs: Math.min(relievedMaxMs, eachMs / relievedPart), watch };
}
