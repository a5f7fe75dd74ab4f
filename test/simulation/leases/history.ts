import { fairWeather, type Weather } from './faulty-table.ts';
import type { LawBroken } from './laws.ts';
import { type Mutation, type SimulatedProcess, stopMs, World } from './world.ts';

export interface History {
  readonly seed: number;
  readonly broken: readonly LawBroken[];
  readonly trace: readonly string[];
}

const troubledMs = 45_000;
/** Failover of whatever is left, hand-overs, and the children of the last reshardings. */
const healingMs = 45_000;
const stepMs = 3_000;

/** One random history of a fleet: trouble for a while, then fair weather; laws are watched all the time. */
export async function runHistory(seed: number, mutation: Mutation = {}): Promise<History> {
  const world = new World(seed, mutation);
  const first = 1 + world.pick(3);
  for (let i = 0; i < first; i += 1) world.start();
  while (world.clock.monotonic() < troubledMs && world.laws.broken.length === 0) {
    await world.clock.advance(200 + world.pick(4_000));
    trouble(world);
  }
  world.weather = fairWeather;
  world.note('fair weather');
  for (const process of world.processes) {
    process.cutUntilMs = 0;
    if (process.state !== 'crashed' && process.clock.frozen()) process.clock.thaw();
  }
  if (world.running().length === 0) world.start();
  await heal(world);
  await end(world);
  return { seed, broken: world.laws.broken, trace: world.trace };
}

async function heal(world: World): Promise<void> {
  for (let ms = 0; ms < healingMs; ms += stepMs) {
    await world.clock.advance(stepMs);
    if (world.laws.broken.length > 0 || world.ailment() === undefined) return;
  }
  world.laws.breach('I6 owned in time', String(world.ailment()));
}

const storms: readonly Weather[] = [
  fairWeather,
  { ...fairWeather, dropResponse: 0.3 },
  { ...fairWeather, dropRequest: 0.15, late: 0.15 },
  { ...fairWeather, throttle: 0.4 },
  { dropRequest: 0.1, dropResponse: 0.2, late: 0.2, throttle: 0.1, slow: 0.5 },
];

type Trouble = (world: World, process: SimulatedProcess) => void;

const troubles: readonly Trouble[] = [
  (world) => {
    world.weather = storms[world.pick(storms.length)] ?? fairWeather;
  },
  (world) => {
    if (world.running().length < 4) world.start();
  },
  (world, process) => crash(world, process),
  (world) => {
    const ids = new Set(world.processes.filter(({ state }) => state !== 'crashed').map(({ id }) => id));
    const crashed = world.processes.find(({ id }) => !ids.has(id));
    if (crashed !== undefined) world.start(crashed.id);
  },
  (_, process) => {
    process.state = 'stopping';
    process.stop.abort();
  },
  (world, process) => freeze(world, process, 'stopped'),
  (world, process) => freeze(world, process, 'suspended'),
  (world, process) => {
    process.cutUntilMs = world.clock.monotonic() + world.random() * 25_000;
  },
  (world, process) => process.clock.jumpWall((world.random() - 0.5) * 7_200_000),
  (world) => reshard(world, (shardId) => world.model.split(shardId)),
  (world) => reshard(world, (shardId) => world.model.merge(shardId)),
];

function trouble(world: World): void {
  const processes = world.running();
  const process = processes[world.pick(processes.length)];
  const which = world.pick(troubles.length);
  if (process === undefined) return world.start();
  world.note(`trouble ${which} for ${process.id}`);
  troubles[which]?.(world, process);
}

/** A crashed process never gets another turn. */
function crash(world: World, process: SimulatedProcess): void {
  process.state = 'crashed';
  process.clock.freeze('stopped');
  process.cutUntilMs = Number.POSITIVE_INFINITY;
  if (world.running().length === 0) world.start();
}

function freeze(world: World, process: SimulatedProcess, how: 'stopped' | 'suspended'): void {
  process.clock.freeze(how);
  const thaw = async (): Promise<void> => {
    await world.clock.sleep(world.random() * 20_000);
    if (process.state !== 'crashed') process.clock.thaw();
  };
  void thaw();
}

const shardsMax = 16;

function reshard(world: World, how: (shardId: string) => void): void {
  const open = world.model.all().filter((shard) => shard.closedAtMs === undefined);
  const shard = open[world.pick(open.length)];
  if (shard !== undefined && world.model.all().length < shardsMax) how(shard.shardId);
}

/** Everybody stops: no promise is left behind, and no run rejects. */
async function end(world: World): Promise<void> {
  for (const process of world.running()) {
    process.state = 'stopping';
    process.stop.abort();
  }
  const left = (): readonly SimulatedProcess[] =>
    world.processes.filter(({ state }) => state === 'running' || state === 'stopping');
  for (let ms = 0; ms < stopMs && left().length > 0; ms += stepMs) await world.clock.advance(stepMs);
  for (const { id } of left()) world.laws.breach('a run ends well', `${id} did not end`);
}
