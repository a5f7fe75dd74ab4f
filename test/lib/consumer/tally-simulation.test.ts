import { expect } from 'chai';
import type { EventHandler, Tally } from '../../../lib/consumer/events.ts';
import { addTallies, TallyBook } from '../../../lib/consumer/tally.ts';
import { type ConsumerKit, createConsumerKit, type KitWorker } from '../../../lib/consumer/testing.ts';
import type { Event } from '../../../lib/event/event.ts';
import { wholeTable } from '../../../lib/leases/lease-store.ts';
import { PlatformError } from '../../../lib/runtime/errors.ts';
import { formatStamp } from '../../../lib/streams/stamp.ts';
import { createRandom } from '../../support/random.ts';

const seeds = Number(process.env['SIM_SEEDS'] ?? 25);
const seedBase = Number(process.env['SIM_SEED_BASE'] ?? 1);

/** The outcomes that count: a repeat is a record that was no event. */
interface Truth {
  readonly done: Set<string>;
  readonly poison: Set<string>;
  records: number;
}

/** A writer as ours are: partial failures reorder what is in flight, retries and zombies write again. */
class Writer {
  readonly truth: Truth = { done: new Set(), poison: new Set(), records: 0 };
  readonly #kit: ConsumerKit;
  readonly #random: () => number;
  #position = 0;
  #sent: Event[] = [];

  constructor(kit: ConsumerKit, random: () => number) {
    this.#kit = kit;
    this.#random = random;
  }

  async send(): Promise<void> {
    const floor = this.#position;
    const inFlight = Array.from({ length: 1 + Math.floor(this.#random() * 6) }, () => this.#next(floor));
    for (const event of inFlight.toSorted(() => this.#random() - 0.5)) await this.#put(event);
    this.#sent.push(...inFlight);
    while (this.#random() < 0.4) await this.#put(this.#sent[Math.floor(this.#random() * this.#sent.length)]!);
  }

  #next(floor: number): Event {
    this.#position += 1;
    const isPoison = this.#random() < 0.03;
    const id = `${isPoison ? 'poison' : 'good'}-${this.#position}`;
    this.truth[isPoison ? 'poison' : 'done'].add(id);
    const stamp = { source: 'writer', position: BigInt(this.#position), floor: BigInt(floor) };
    const time = '2026-01-01T00:00:00Z';
    const attributes = { weirstamp: formatStamp(stamp) };
    return { id, source: 's', type: 't', time, timeMs: Date.parse(time), subject: id, attributes, data: {} };
  }

  async #put(event: Event): Promise<void> {
    this.truth.records += 1;
    await this.#kit.send('orders', [event]);
  }
}

/** Fails now and then, always on poison; has no memory of its own. */
function flaky(random: () => number): EventHandler {
  return {
    start: async () => {},
    handle: async (events) => {
      if (events.some(({ event: { id } }) => id.startsWith('poison'))) throw new TypeError('poison');
      if (random() < 0.1) throw new PlatformError('table-throttled', 'later', { retryable: true });
      return events.map(() => 'done');
    },
    flush: async () => {
      if (random() < 0.1) throw new Error('flush failed');
      return {};
    },
  };
}

/** What the accounts say: of shards that have ended the ledger, of the others the lease with its checkpoint. */
async function accounts(kit: ConsumerKit): Promise<Tally> {
  const ended = new Map<string, Tally>();
  for (const entry of kit.ledger) if (entry.upTo === 'SHARD_END') ended.set(entry.shardId, entry.tally);
  const tallies = [...ended.values()];
  for await (const page of kit.leaseStore.list(wholeTable)) {
    for (const item of page) {
      if (item.type !== 'lease' || item.lease.checkpoint.type !== 'POSITION') continue;
      tallies.push(TallyBook.load(item.lease.state?.['tally']).save());
    }
  }
  return tallies.reduce<Tally>((sum, tally) => addTallies(sum, tally), {});
}

function countOf(tally: Tally): number {
  return Object.values(tally).reduce((sum, { count }) => sum + count, 0);
}

async function history(
  seed: number,
): Promise<{ readonly said: Tally; readonly truth: Truth; readonly kit: ConsumerKit }> {
  const random = createRandom(seed);
  const kit = createConsumerKit({
    streams: { orders: 1 },
    handlerFor: () => flaky(random),
    random,
    leases: { failoverMs: 3_000 },
    options: {
      checkpointMs: 700,
      batchRecordsMax: 9,
      tries: 2,
      retryFirstMs: 5,
      retryMaxMs: 200,
      prefetchPagesMax: 3,
    },
  });
  kit.kinesis.faults.add({ on: 'read', chance: 0.03, fault: { type: 'drop-response' } });
  kit.kinesis.faults.add({ on: 'read', chance: 0.03, fault: { type: 'throttle' } });
  const writer = new Writer(kit, random);
  const workers: KitWorker[] = [kit.startWorker(), kit.startWorker()];
  for (let round = 0; round < 30; round += 1) {
    await writer.send();
    if (random() < 0.12)
      workers.splice(Math.floor(random() * workers.length), 1, kit.startWorker())[0]?.kill();
    if (random() < 0.05) kit.kinesis.expireIterators();
    if (random() < 0.08) {
      const open = (await kit.kinesis.listShards('orders')).filter(
        (s) => s.endingSequenceNumber === undefined,
      );
      kit.kinesis.split('orders', open[Math.floor(random() * open.length)]!.shardId);
    }
    await kit.clock.advance(Math.floor(random() * 1_500));
  }
  for (let wait = 0; wait < 400 && countOf(await accounts(kit)) < writer.truth.records; wait += 1) {
    await kit.clock.advance(500);
  }
  for (const worker of workers) await worker.stop();
  return { said: await accounts(kit), truth: writer.truth, kit };
}

function digestsOf(outcome: string, ids: ReadonlySet<string>): Tally {
  const book = new TallyBook();
  for (const id of ids) book.add(outcome, id);
  return book.save();
}

describe('the accounts under crashes, retries, copies and reshards', () => {
  for (let seed = seedBase; seed < seedBase + seeds; seed += 1) {
    it(`give each event exactly one outcome (seed ${seed})`, async () => {
      const { kit, said, truth } = await history(seed);
      const { repeat, ...outcomes } = said;
      expect(outcomes).to.deep.equal({
        ...digestsOf('done', truth.done),
        ...digestsOf('dead-lettered', truth.poison),
      });
      expect(repeat?.count ?? 0).to.equal(truth.records - truth.done.size - truth.poison.size);
      const letters = new Set(kit.deadLetters.map(({ sequenceNumber }) => sequenceNumber));
      expect(letters.size, 'one letter per poison event, written again only by a replay').to.equal(
        truth.poison.size,
      );
    });
  }
});
