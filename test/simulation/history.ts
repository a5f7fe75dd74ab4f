import type { Law, LawBroken } from './breaches.ts';
import { fairWeather, storms } from './faulty-line.ts';
import { failoverMs, type Fleet, type SimulatedProcess, stopMs } from './fleet.ts';

export interface History {
  readonly seed: number;
  readonly broken: readonly LawBroken[];
  readonly trace: readonly string[];
}

/** A world with a fleet in it. */
export interface World {
  readonly fleet: Fleet;
  /** Beside those that befall any fleet. */
  readonly troubles: readonly Trouble[];
  /** Trouble is over. */
  readonly calm: () => void;
  /** Within which all is well again. */
  readonly healingMs: () => number;
  /** What is missing until then. */
  readonly ailment: () => Ailment | undefined;
  /** All processes have stopped. */
  readonly judge: () => void;
}

/** What is not yet well, and the law that is broken if it stays so. */
export interface Ailment {
  readonly law: Law;
  readonly what: string;
}

export type Trouble = (process: SimulatedProcess) => void | Promise<void>;

const pauseMsMax = 4_200;
/** Failover of whatever is left, hand-overs, and the children of the last reshardings. */
export const healingMs = 45_000;
const stepMs = 3_000;
const workersMax = 4;
const jumpMsMax = 3_600_000;

/** One random history of a fleet: so many troubles, then fair weather; laws are watched all the time. */
export async function unfold(seed: number, world: World, troubles: number): Promise<History> {
  const { fleet } = world;
  const first = 1 + fleet.pick(3);
  for (let i = 0; i < first; i += 1) fleet.start();
  for (let i = 0; i < troubles && fleet.breaches.broken.length === 0; i += 1) {
    await fleet.clock.advance(200 + fleet.pick(pauseMsMax - 200));
    await strike(world);
  }
  fleet.weather = fairWeather;
  fleet.note('fair weather');
  for (const process of fleet.processes) {
    if (process.state === 'crashed') continue;
    process.cutUntilMs = 0;
    process.lacks = undefined;
    if (process.clock.frozen()) process.clock.thaw();
  }
  world.calm();
  if (fleet.running().length === 0) fleet.start();
  await heal(world);
  await end(fleet);
  if (fleet.breaches.broken.length === 0) world.judge();
  return { seed, broken: fleet.breaches.broken, trace: fleet.trace };
}

async function heal({ ailment, fleet, healingMs: withinMs }: World): Promise<void> {
  for (let ms = 0; ms < withinMs(); ms += stepMs) {
    await fleet.clock.advance(stepMs);
    if (fleet.breaches.broken.length > 0 || ailment() === undefined) return;
  }
  const left = ailment();
  if (left) fleet.breaches.add(left.law, left.what);
}

async function strike({ fleet, troubles }: World): Promise<void> {
  const process = fleet.one(fleet.running());
  const all = [...befalling(fleet), ...troubles];
  const which = fleet.pick(all.length);
  if (process === undefined) return fleet.start();
  fleet.note(`trouble ${which} for ${process.id}`);
  await all[which]?.(process);
}

/** What may happen to the processes of any fleet. */
function befalling(fleet: Fleet): readonly Trouble[] {
  return [
    () => {
      fleet.weather = fleet.one(storms) ?? fairWeather;
    },
    () => {
      if (fleet.running().length < workersMax) fleet.start();
    },
    (process) => {
      fleet.crash(process);
      if (fleet.running().length === 0) fleet.start();
    },
    () => {
      const ids = new Set(fleet.processes.filter(({ state }) => state !== 'crashed').map(({ id }) => id));
      const crashed = fleet.processes.find(({ id }) => !ids.has(id));
      if (crashed !== undefined) fleet.start(crashed.id);
    },
    (process) => fleet.stop(process),
    (process) => freeze(fleet, process, 'stopped'),
    (process) => freeze(fleet, process, 'suspended'),
    (process) => {
      process.cutUntilMs = fleet.clock.monotonic() + fleet.random() * 2.5 * failoverMs;
    },
    (process) => {
      const own = [...fleet.table.items].filter(([, item]) => item.leaseOwner === process.id);
      const leaseKey = fleet.one(own.map(([key]) => key));
      const untilMs = fleet.clock.monotonic() + (1 + 2 * fleet.random()) * failoverMs;
      if (leaseKey !== undefined) process.lacks = { leaseKey, untilMs };
    },
    // Whole milliseconds, as wall clocks tell them.
    (process) => process.clock.jumpWall(fleet.pick(2 * jumpMsMax) - jumpMsMax),
  ];
}

function freeze(fleet: Fleet, process: SimulatedProcess, how: 'stopped' | 'suspended'): void {
  process.clock.freeze(how);
  const thaw = async (): Promise<void> => {
    await fleet.clock.sleep(fleet.random() * 2 * failoverMs);
    if (process.state !== 'crashed') process.clock.thaw();
  };
  void thaw();
}

/** Everybody stops: no promise is left behind, and no run rejects. */
async function end(fleet: Fleet): Promise<void> {
  for (const process of fleet.running()) fleet.stop(process);
  const left = (): readonly SimulatedProcess[] =>
    fleet.processes.filter(({ state }) => state === 'running' || state === 'stopping');
  for (let ms = 0; ms < stopMs && left().length > 0; ms += stepMs) await fleet.clock.advance(stepMs);
  for (const { id } of left()) fleet.breaches.add('a run ends well', `${id} did not end`);
}
