import { expect } from 'chai';
import { createMemoryKclTables } from '../../lib/leases/kcl3/memory-kcl-tables.ts';
import { migrationItem, startJavaLeader } from '../support/java-leader.ts';
import { plantJavaLeases, startJava } from '../support/java-worker.ts';
import { leaseScene, stopAll } from '../support/lease-scene.ts';

type Kind = 'ours' | 'java';

/** A worker of either kind: what it works on, its sudden death, its end. */
interface Worker {
  readonly works: () => readonly string[];
  readonly die: () => void;
  readonly end: () => Promise<void>;
}

interface HandOff {
  readonly from: Kind;
  readonly to: Kind;
  readonly dies: 'owner' | 'next' | 'leader';
  /** When the hand-off was asked for, or when the owner has given the lease away. */
  readonly when: 'asked' | 'given';
}

const shards = 4;
const leaseKey = 'shardId-000000000000';
/** A minute in which a dead worker's metrics count, KCL's time for a hand-off, and the failover of who is left, twice. */
const mendedMs = 180_000;

/** One lease is on its way from worker `a` to `b`, in a fleet that the Java worker `c` leads; somebody dies. */
async function brokenHandOff({ dies, from, to, when }: HandOff): Promise<readonly string[]> {
  const scene = leaseScene(shards);
  const { clock, store } = scene;
  const { table } = store;
  table.items.set('Migration3.0', migrationItem('CLIENT_VERSION_3X'));
  const kclTables = createMemoryKclTables(table);
  const start = (id: string, kind: Kind): Worker => {
    if (kind === 'java') {
      const java = startJava({ id, kcl: 3, table, clock, rules: () => 'led' });
      return { works: () => [...java.holds], die: java.stop, end: async () => java.stop() };
    }
    const view = clock.view();
    const ours = scene.start(id, { kclTables, clock: view });
    const end = async (): Promise<void> => (view.frozen() ? undefined : stopAll(clock, [ours]));
    return { works: () => [...ours.working.keys()], die: () => view.freeze('stopped'), end };
  };
  if (from === 'java') plantJavaLeases(table, 'a', [0, 1, 2, 3]);
  const owner = start('a', from);
  await clock.advance(5_000);
  expect(owner.works()).to.have.length(shards);
  table.items.set(leaseKey, { ...table.items.get(leaseKey), leaseOwner: 'b', checkpointOwner: 'a' });
  const leading = startJavaLeader({ id: 'c', table, clock });
  const workers = { owner, next: start('b', to), leader: start('c', 'java') };
  await clock.advance(100);
  for (let ms = 0; when === 'given' && ms < 30_000; ms += 100) {
    if (table.items.get(leaseKey)?.checkpointOwner === undefined) break;
    await clock.advance(100);
  }
  expect(table.items.get(leaseKey)?.checkpointOwner).to.equal(when === 'asked' ? 'a' : undefined);
  workers[dies].die();
  if (dies === 'leader') leading.stop();
  await clock.advance(mendedMs);
  const worked = Object.entries(workers).flatMap(([part, worker]) => (part === dies ? [] : worker.works()));
  leading.stop();
  for (const worker of Object.values(workers)) await worker.end();
  return worked;
}

describe('scenario 27: a death in each step of a hand-off in a KCL 3 fleet', function () {
  this.timeout(20_000);
  const pairs = [
    ['ours', 'ours'],
    ['ours', 'java'],
    ['java', 'ours'],
  ] as const;
  for (const [from, to] of pairs) {
    for (const when of ['asked', 'given'] as const) {
      for (const dies of ['owner', 'next', 'leader'] as const) {
        it(`${from} to ${to}, the ${dies} dies when it is ${when}: every shard is read, by one`, async () => {
          const worked = await brokenHandOff({ dies, from, to, when });
          expect(worked).to.have.members([0, 1, 2, 3].map((n) => `shardId-00000000000${n}`));
        });
      }
    }
  }
});
