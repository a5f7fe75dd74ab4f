import { createMemoryKclTables } from '../../lib/leases/kcl3/memory-kcl-tables.ts';
import { migrationItem, startJavaLeader } from '../support/java-leader.ts';
import { type JavaRules, leasesOf, startJava } from '../support/java-worker.ts';
import { leaseScene, stopAll } from '../support/lease-scene.ts';
import { seededRandom } from '../support/lease-workers.ts';

/** A worker of either kind: what it works on, its sudden death, its end. */
interface Worker {
  readonly kind: 'ours' | 'java';
  readonly id: string;
  readonly works: () => readonly string[];
  readonly die: () => void;
  readonly end: () => Promise<void>;
}

const shards = 6;
const troubles = 12;
/** The lock of a dead leader is taken by another after so long. */
const lockMs = 130_000;
/** A dead leader's lock, a minute of its metrics, a hand-off that nobody carries out, and failover, twice. */
const mendedMs = 420_000;

type Version = '2X' | 'UPGRADE_FROM_2X' | '3X_WITH_ROLLBACK';

/** Ours and Java's on one lease table: joins, deaths, leaders that come and go, versions that change. */
export class MixedFleet {
  readonly trace: string[] = [];
  readonly #scene = leaseScene(shards);
  readonly #random: () => number;
  readonly #kcl: 2 | 3;
  #workers: Worker[] = [];
  #version: Version = 'UPGRADE_FROM_2X';
  #leader: { readonly of: Worker; readonly stop: () => void } | undefined;
  #leaderFromMs = 0;
  #started = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#kcl = this.#pick(3) === 0 ? 2 : 3;
    if (this.#kcl === 3) this.#setVersion('UPGRADE_FROM_2X');
  }

  /** What is wrong at the end; undefined if each shard is worked on by one. */
  async run(): Promise<string | undefined> {
    this.#start('ours');
    await this.#pass(2_000);
    this.#start('java');
    for (let i = 0; i < troubles; i += 1) {
      await this.#pass(1_000 + this.#random() * 60_000);
      this.#trouble();
    }
    this.#leaveOneKind();
    let ailment: string | undefined;
    for (let ms = 0; ms < mendedMs; ms += 10_000) {
      await this.#pass(10_000);
      ailment = this.#ailment();
      if (ailment === undefined) break;
    }
    this.#leader?.stop();
    for (const worker of this.#workers) await worker.end();
    return ailment;
  }

  /** Of both kinds each has to mend the fleet alone; otherwise one makes up for what the other lacks. */
  #leaveOneKind(): void {
    const gone = (['ours', 'java', undefined] as const)[this.#pick(3)];
    for (const worker of this.#workers) if (worker.kind === gone) this.#kill(worker);
    if (this.#workers.length === 0) this.#start(gone === 'ours' ? 'java' : 'ours');
  }

  #trouble(): void {
    const worker = this.#workers[this.#pick(this.#workers.length)];
    switch (this.#pick(5)) {
      case 0:
        return this.#workers.length < 4 ? this.#start('ours') : undefined;
      case 1:
        return this.#workers.length < 4 ? this.#start('java') : undefined;
      case 2:
      case 3:
        return worker === undefined ? this.#start('java') : this.#kill(worker);
      default:
        return this.#kcl === 3 ? this.#setVersion(this.#next()) : undefined;
    }
  }

  /** As KCL and its migration tool change it. */
  #next(): Version {
    switch (this.#version) {
      case '2X':
        return 'UPGRADE_FROM_2X';
      case 'UPGRADE_FROM_2X':
        return this.#pick(2) === 0 ? '2X' : '3X_WITH_ROLLBACK';
      case '3X_WITH_ROLLBACK':
        return '2X';
    }
  }

  #setVersion(version: Version): void {
    this.#note(`version ${version}`);
    this.#version = version;
    this.#scene.store.table.items.set('Migration3.0', migrationItem(`CLIENT_VERSION_${version}`));
  }

  #start(kind: Worker['kind']): void {
    const { clock, store } = this.#scene;
    const id = `${kind}-${this.#started}`;
    this.#started += 1;
    this.#note(`start ${id}`);
    if (kind === 'java') {
      const rules = (): JavaRules => (this.#version === '3X_WITH_ROLLBACK' ? 'led' : 'counted');
      const java = startJava({ id, kcl: this.#kcl, table: store.table, clock, rules });
      const end = async (): Promise<void> => java.stop();
      this.#workers.push({ kind, id, works: () => [...java.holds], die: java.stop, end });
      return;
    }
    const view = clock.view();
    const kclTables = createMemoryKclTables(store.table);
    const ours = this.#scene.start(id, { kclTables, clock: view, seed: this.#pick(1_000_000) });
    const end = async (): Promise<void> => stopAll(clock, [ours]);
    const die = (): void => view.freeze('stopped');
    this.#workers.push({ kind, id, works: () => [...ours.working.keys()], die, end });
  }

  #kill(worker: Worker): void {
    this.#note(`kill ${worker.id}`);
    worker.die();
    this.#workers = this.#workers.filter((other) => other !== worker);
    if (this.#leader?.of !== worker) return;
    this.#leader.stop();
    this.#leader = undefined;
    this.#leaderFromMs = this.#scene.clock.monotonic() + lockMs;
  }

  /** Time goes by in steps, after each of which a leader comes or goes. */
  async #pass(ms: number): Promise<void> {
    const { clock, store } = this.#scene;
    for (let left = ms; left > 0; left -= 5_000) {
      await clock.advance(Math.min(left, 5_000));
      if (this.#version !== '3X_WITH_ROLLBACK') {
        this.#leader?.stop();
        this.#leader = undefined;
        continue;
      }
      const first = this.#workers.find(({ kind }) => kind === 'java');
      if (this.#leader !== undefined || first === undefined || clock.monotonic() < this.#leaderFromMs)
        continue;
      this.#note(`${first.id} leads`);
      const { stop } = startJavaLeader({ id: first.id, table: store.table, clock });
      this.#leader = { of: first, stop };
    }
  }

  #ailment(): string | undefined {
    const worked = this.#workers.flatMap((worker) => worker.works().map((key) => `${key} ${worker.id}`));
    for (const [key] of leasesOf(this.#scene.store.table)) {
      const by = worked.filter((one) => one.startsWith(`${key} `));
      if (by.length !== 1) return `${key} is worked on by ${by.length} (${by.join(', ')})`;
    }
    return worked.length === shards ? undefined : `${worked.length} of ${shards} are worked on`;
  }

  #pick(n: number): number {
    return Math.floor(this.#random() * n);
  }

  #note(text: string): void {
    this.trace.push(`${this.#scene.clock.monotonic()} ${text}`);
  }
}
