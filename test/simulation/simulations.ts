import { LawBroken } from './breaches.ts';
import { consumerHistory } from './consumers/world.ts';
import type { History } from './history.ts';
import { leaseHistory } from './leases/world.ts';
import { MixedFleet } from './mixed-fleet.ts';

/** Every simulation: one random history for a seed, of so many troubles (by default as many as fit CI). */
export const simulations = {
  leases: (seed: number, troubles?: number): Promise<History> => leaseHistory(seed, {}, troubles),
  consumers: (seed: number, troubles?: number): Promise<History> => consumerHistory(seed, {}, troubles),
  'mixed-fleet': mixedHistory,
} as const;

/** Of workers of ours and of Java's; its troubles are fixed. */
async function mixedHistory(seed: number): Promise<History> {
  const fleet = new MixedFleet(seed);
  const ailment = await fleet.run();
  return {
    seed,
    broken: ailment === undefined ? [] : [new LawBroken('I6 in time', ailment)],
    trace: fleet.trace,
  };
}

export type Simulation = keyof typeof simulations;

export const simulationNames = Object.keys(simulations) as readonly Simulation[];

/** What is told of a history that broke a law. */
export interface Failure {
  readonly simulation: Simulation;
  readonly seed: number;
  readonly troubles: number | undefined;
  readonly broken: readonly string[];
  /** Of all that happened in it the last. */
  readonly events: readonly string[];
}

const eventsTold = 40;

/** Undefined where every law was kept. */
export function failureOf(
  simulation: Simulation,
  { broken, seed, trace }: History,
  troubles?: number,
): Failure | undefined {
  if (broken.length === 0) return undefined;
  const laws = broken.map(({ message }) => message);
  return { simulation, seed, troubles, broken: laws, events: trace.slice(-eventsTold) };
}

/** For people: the last events, the laws that were broken, and how to see it again. */
export function describeFailure({ broken, events, seed, simulation, troubles }: Failure): string {
  const steps = troubles === undefined ? '' : ` SIM_STEPS=${troubles}`;
  return [
    `${simulation}, seed ${seed}; the last events (simulated milliseconds):`,
    ...events.map((event) => `  ${event}`),
    ...broken.map((law) => `broken: ${law}`),
    `again: SIM_SEED_BASE=${seed} SIM_SEEDS=1${steps} npm run sim -- --only ${simulation} --trace`,
  ].join('\n');
}
