import type { Timings } from './timings.ts';

/** How often one worker looks, and for whom it acts. */
export interface Cadence {
  /**
   * `each`: every worker surveys the table and sees to its own part. `duty`: this worker and one other survey and
   * act for the whole fleet. `relieved`: others are on duty; this worker reads what names it, and the table rarely.
   */
  readonly role: 'each' | 'duty' | 'relieved';
  readonly surveyMs: number;
  readonly pollMs: number;
  /** How long a lease may lie with a worker that has not taken it up; three polls. Nobody works on it meanwhile. */
  readonly offerMs: number;
  /** How often a relieved worker looks at the first lease, whose holder is on duty, in case both on duty die. */
  readonly watchMs: number;
}

export interface FleetSize {
  readonly me: string;
  readonly workers: number;
  readonly leases: number;
  /** Owners of the leases in the order of their keys. */
  readonly ownersInOrder: Iterable<string>;
}

/** Eventually consistent, at 400 bytes a lease: a page of 4 KiB for half a unit. */
const unitsPerLease = 0.05;
/** Relieved workers may cost this part of it, all together, and look at least so often. */
const relievedPart = 0.125;
const relievedMaxMs = 600_000;
/** Own-index queries of the whole fleet each second, half a unit each. */
const pollsPerSecond = 10;
/** A worker without leases surveys so many times less often than others. */
const idleSurveys = 2;
/** Two, so that the death of one is noticed as fast as any other. */
const onDuty = 2;

/**
 * A survey costs by the number of leases, and so much times the number of workers. While that is cheap everybody
 * makes its own. Beyond, the owners of the first leases make them for all: no election, since whoever holds a lease
 * knows it, and if it dies the other takes that lease, and the duty with it.
 */
export function cadenceFor(timings: Timings, fleet: FleetSize): Cadence {
  const { failoverMs, surveyMs, surveyUnitsPerSecond } = timings;
  const pollMs = Math.max(timings.pollMs, (fleet.workers * 1_000) / pollsPerSecond);
  const looks = { pollMs, offerMs: 3 * pollMs, watchMs: Math.max(failoverMs, 2 * pollMs) };
  const fleetUnits = fleet.workers * fleet.leases * unitsPerLease;
  const eachMs = (fleetUnits * 1_000) / surveyUnitsPerSecond;
  // Alone there is nobody to watch, and a worker that joins asks for its share by itself.
  if (eachMs <= surveyMs || fleet.workers === 1) {
    return { ...looks, role: 'each', surveyMs: Math.max(surveyMs, eachMs) };
  }
  // Who holds nothing is known to nobody: it has to see to its share itself.
  const ranks = new Set(fleet.ownersInOrder);
  if (!ranks.has(fleet.me)) return { ...looks, role: 'each', surveyMs: idleSurveys * surveyMs };
  if ([...ranks].slice(0, onDuty).includes(fleet.me)) return { ...looks, role: 'duty', surveyMs };
  return { ...looks, role: 'relieved', surveyMs: Math.min(relievedMaxMs, eachMs / relievedPart) };
}
