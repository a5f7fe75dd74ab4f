import { expect } from 'chai';
import type { Lease } from '../../lib/leases/lease.ts';
import type { Item } from '../../lib/leases/lease-item.ts';
import { type LeaseStore, wholeTable, type WriteOutcome } from '../../lib/leases/lease-store.ts';
import type { WriteMark } from '../../lib/leases/lease-writes.ts';
import { sampleLease } from '../support/leases.ts';
import { describePulses } from './lease-pulses.ts';
import { mark, position, won } from './outcomes.ts';

export interface StoreUnderTest {
  readonly store: LeaseStore;
  /** The item as it lies in the table. */
  readonly item: (leaseKey: string) => Promise<Item | undefined>;
  /** Puts an item behind the store's back. */
  readonly plant: (item: Item) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What every lease table must do. `open` gives a store on an empty table, or says why there is none. */
export function leaseStoreContract(
  name: string,
  open: () => Promise<StoreUnderTest | { readonly skip: string }>,
  /** What the server behind the table is known to get wrong. */
  lack?: 'atomic conditions',
): void {
  describe(`lease store: ${name}`, () => {
    let table: StoreUnderTest;
    let key = 0;
    before(async function () {
      this.timeout(20_000);
      const opened = await open();
      if ('store' in opened) table = opened;
      else {
        process.stdout.write(`skipped: lease store on ${name}, because ${opened.skip}\n`);
        this.skip();
      }
    });
    after(async () => table?.close());

    /** A lease of its own for each test, as it stands after `a` took it. */
    const created = async (over: Partial<Lease> = {}): Promise<Lease> => {
      key += 1;
      const lease = sampleLease({ leaseKey: `shard-${key}`, shardId: `shard-${key}`, ...over });
      return won(await table.store.create(lease, mark('a')));
    };
    const taken = async (by = 'a'): Promise<Lease> => won(await table.store.take(await created(), mark(by)));
    const current = async (lease: Lease): Promise<Lease> => {
      const parsed = await table.store.get(lease.leaseKey);
      if (parsed?.type !== 'lease') throw new Error(`no lease ${lease.leaseKey}`);
      return parsed.lease;
    };

    describeCreation(() => table, created, current);

    it('gives a lease to one of many that take it at once', async function () {
      if (lack !== undefined) {
        process.stdout.write(`skipped: one winner of many on ${name}, which has no ${lack}\n`);
        this.skip();
      }
      const lease = await created();
      const workers = ['a', 'b', 'c', 'd', 'e'];
      const outcomes = await Promise.all(workers.map((worker) => table.store.take(lease, mark(worker))));
      expect(outcomes.filter((outcome) => outcome.type === 'won')).to.have.length(1);
      const winner = workers[outcomes.findIndex((outcome) => outcome.type === 'won')];
      expect((await current(lease)).leaseOwner).to.equal(winner);
    });

    it('refuses each write of an owner from whom the lease was taken, and says who has it', async () => {
      const mine = await taken('a');
      const theirs = won(await table.store.take(mine, mark('b')));
      const { store } = table;
      const late = await Promise.all([
        store.renew(mine, mark('a')),
        store.checkpoint(mine, position(7), {}, mark('a')),
        store.prepare(mine, position(7), new Uint8Array([1]), mark('a')),
        store.finish(mine, [], {}, mark('a')),
        store.release(mine, mark('a')),
        store.assign(mine, 'c', mark('a'), 'ours'),
        store.remove(mine),
      ]);
      for (const outcome of late) expect(outcome).to.deep.equal({ type: 'lost', current: theirs });
      expect(await current(mine)).to.deep.equal(theirs);
    });

    it('counts switches of owner since the last checkpoint, as Java does', async () => {
      const lease = await taken('a');
      expect(lease.ownerSwitches).to.equal(0);
      const second = won(await table.store.take(lease, mark('b')));
      expect(second.ownerSwitches).to.equal(1);
      const saved = won(await table.store.checkpoint(second, position(3), {}, mark('b')));
      expect([saved.ownerSwitches, saved.counter]).to.deep.equal([0, 3]);
    });

    it('saves a checkpoint and its state in one write, and gives both back', async () => {
      const state = {
        tally: { routed: { count: 3, digest: 'ff' } },
        ids: ['a', 'b'],
        raw: new Uint8Array([1, 2]),
      };
      const upTo = { ...position(49), subSequenceNumber: 3 };
      const lease = won(await table.store.checkpoint(await taken(), upTo, state, mark('a')));
      expect(lease.checkpoint).to.deep.equal(upTo);
      expect(lease.state).to.deep.equal(state);
      expect(await current(lease)).to.deep.equal(lease);
    });

    it('prepares a checkpoint without moving it, and forgets the preparation with the next one', async () => {
      const lease = await taken();
      const note = new Uint8Array([9, 8]);
      const prepared = won(await table.store.prepare(lease, position(5), note, mark('a')));
      expect(prepared.pending).to.deep.equal({ checkpoint: position(5), note });
      expect(prepared.checkpoint).to.deep.equal(lease.checkpoint);
      const saved = won(await table.store.checkpoint(prepared, position(5), {}, mark('a')));
      expect(saved.pending).to.equal(undefined);
    });

    it('takes a write that is sent again after it landed for what it is: won', async () => {
      const { store } = table;
      let lease = await taken();
      const verbs: readonly ((lease: Lease, m: WriteMark) => Promise<WriteOutcome>)[] = [
        (l, m) => store.renew(l, { ...m, throughputKBps: 12.5 }),
        (l, m) => store.checkpoint(l, position(1), {}, m),
        (l, m) => store.prepare(l, position(2), new Uint8Array(), m),
        (l, m) => store.take(l, m),
        (l, m) => store.release(l, m),
        (l, m) => store.assign(l, 'b', m, 'ours'),
        (l) => store.requestHandoff(l, 'b', 'c', 'ours'),
        (l, m) => store.finish(l, ['x', 'y'], {}, m),
      ];
      for (const verb of verbs) {
        const same = mark('a');
        const first = won(await verb(lease, same));
        expect(won(await verb(lease, same))).to.deep.equal(first);
        lease = first;
      }
    });

    it('does not take the traces of its write for success once somebody else has written', async () => {
      const lease = await taken('a');
      const same = mark('a');
      const renewed = won(await table.store.renew(lease, same));
      // Java keeps our nonce when it takes a lease.
      const item = await table.item(lease.leaseKey);
      await table.plant({ ...item, leaseOwner: 'java', leaseCounter: renewed.counter + 1 });
      expect((await table.store.renew(lease, same)).type).to.equal('lost');
    });

    describeHandoff(() => table, taken, current);

    it('finishes in one write: SHARD_END, the state, the children, the end of ownership', async () => {
      const lease = won(await table.store.finish(await taken(), ['s-2', 's-1'], { n: 1 }, mark('a')));
      expect(lease.checkpoint).to.deep.equal({ type: 'SHARD_END' });
      expect(lease).to.include({ leaseOwner: 'a', checkpointOwner: undefined, incarnation: undefined });
      expect([lease.children, lease.state]).to.deep.equal([['s-1', 's-2'], { n: 1 }]);
    });

    it('moves a checkpoint back for a replay: state and pending range go, the owner stays and is fenced', async () => {
      const before = won(await table.store.checkpoint(await taken(), position(9), { n: 9 }, mark('a')));
      const held = won(await table.store.prepare(before, position(12), new Uint8Array([1]), mark('a')));
      const replay = { id: 'again', from: { type: 'AT_TIMESTAMP', timestampMs: 1_000 } } as const;
      won(await table.store.reset(held, replay, mark('x')));
      const checkpoint = { type: 'AT_TIMESTAMP' };
      const after = await current(held);
      const gone = { state: undefined, pending: undefined };
      expect(after).to.deep.include({
        checkpoint,
        startAtMs: 1_000,
        leaseOwner: 'a',
        replay: 'again',
        ...gone,
      });
      const refused = await table.store.checkpoint(held, position(13), {}, mark('a'));
      expect(refused.type).to.equal('lost');
    });

    it('calls a hand-off off when it resets the lease, but not one that was asked for meanwhile', async () => {
      const held = await taken();
      const replay = { id: 'again', from: { type: 'TRIM_HORIZON' } } as const;
      const asked = won(await table.store.requestHandoff(held, 'a', 'b', 'ours'));
      expect((await table.store.reset(held, replay, mark('x'))).type).to.equal('lost');
      won(await table.store.reset(asked, replay, mark('x')));
      expect(await current(held)).to.deep.include({ leaseOwner: 'a', checkpointOwner: undefined });
    });

    it('deletes a lease only as it was read, and says when it is gone', async () => {
      const lease = await taken();
      const renewed = won(await table.store.renew(lease, mark('a')));
      expect((await table.store.remove(lease)).type).to.equal('lost');
      expect((await table.store.remove(renewed)).type).to.equal('won');
      expect((await table.store.remove(renewed)).type).to.equal('missing');
      expect((await table.store.renew(renewed, mark('a'))).type).to.equal('missing');
      expect(await table.store.get(lease.leaseKey)).to.equal(undefined);
    });

    describePulses(() => table, taken, current);
    describeListing(() => table, taken);
  });
}

type Under = () => StoreUnderTest;

function describeCreation(
  under: Under,
  created: (over?: Partial<Lease>) => Promise<Lease>,
  current: (lease: Lease) => Promise<Lease>,
): void {
  it('creates a lease once, with all that Java must find', async () => {
    const lease = await created({
      parents: ['p-1', 'p-2'],
      hashRange: { start: '0', end: '9' },
      startAtMs: 5,
    });
    const again = await under().store.create({ ...lease, throughputKBps: 9 }, mark('b'));
    expect(again).to.deep.equal({ type: 'lost', current: lease });
    const item = await under().item(lease.leaseKey);
    expect(item).to.deep.include({
      leaseKey: lease.leaseKey,
      entityType: 'LEASE',
      leaseCounter: 0,
      ownerSwitchesSinceCheckpoint: 0,
      checkpoint: 'TRIM_HORIZON',
      checkpointSubSequenceNumber: 0,
      parentShardId: new Set(['p-1', 'p-2']),
      startingHashKey: '0',
      endingHashKey: '9',
    });
    expect(item).not.to.have.any.keys('leaseOwner', 'childShardIds', 'pendingCheckpointState', 'streamName');
    expect(await current(lease)).to.deep.equal(lease);
  });

  it('knows its own creation when the response was lost', async () => {
    const same = mark('a');
    const lease = sampleLease({ leaseKey: 'twice', shardId: 'twice' });
    const first = await under().store.create(lease, same);
    expect(first.type).to.equal('won');
    expect(await under().store.create(lease, same)).to.deep.equal(first);
  });

  it('keeps the stream in key and attributes where a table serves several', async () => {
    const streamId = '123456789012:orders:1700000000';
    const lease = await created({ streamId, leaseKey: `${streamId}:shard-0`, shardId: 'shard-0' });
    expect(await under().item(lease.leaseKey)).to.include({ streamName: streamId, shardId: 'shard-0' });
    expect(await current(lease)).to.include({ streamId, shardId: 'shard-0' });
  });
}

function describeHandoff(
  under: Under,
  taken: (by?: string) => Promise<Lease>,
  current: (lease: Lease) => Promise<Lease>,
): void {
  it('lets the owner go on after a hand-off was asked for, and tells it at its next write', async () => {
    const { store } = under();
    const lease = await taken('a');
    const asked = won(await store.requestHandoff(lease, 'a', 'b', 'ours'));
    expect(asked).to.include({ leaseOwner: 'b', checkpointOwner: 'a', counter: lease.counter });
    expect(await store.renew(lease, mark('a'))).to.deep.equal({ type: 'lost', current: asked });
    const saved = won(await store.checkpoint(lease, position(4), {}, mark('a')));
    expect(saved).to.include({ leaseOwner: 'b', checkpointOwner: 'a' });
    expect(won(await store.renew(saved, mark('a'))).counter).to.equal(saved.counter + 1);
  });

  it('asks for one hand-off at a time, and only from the owner that was seen', async () => {
    const { store } = under();
    const lease = await taken('a');
    won(await store.requestHandoff(lease, 'a', 'b', 'ours'));
    expect((await store.requestHandoff(lease, 'a', 'c', 'ours')).type).to.equal('lost');
    const other = won(await store.take(await taken('a'), mark('z')));
    expect((await store.requestHandoff(other, 'a', 'b', 'ours')).type).to.equal('lost');
  });

  it('marks an assigned lease as offered until its new owner takes it up', async () => {
    const { store } = under();
    const lease = await taken('a');
    expect(lease).to.include({ offered: false, incarnation: 'a/1' });
    const given = won(await store.assign(lease, 'b', mark('a'), 'ours'));
    expect(given).to.include({ leaseOwner: 'b', offered: true, incarnation: undefined, ownerSwitches: 1 });
    const accepted = won(await store.take(given, mark('b')));
    expect(accepted).to.include({ leaseOwner: 'b', offered: false, incarnation: 'b/1', ownerSwitches: 1 });
  });

  it('leaves a lease that was given to a Java worker to it, until it writes', async () => {
    const { store } = under();
    const given = won(await store.assign(await taken('a'), 'java', mark('a'), 'java'));
    expect(given).to.include({ leaseOwner: 'java', offered: false, given: true, incarnation: undefined });
    expect(won(await store.take(given, mark('b')))).to.include({ leaseOwner: 'b', given: false });
    const asked = won(await store.requestHandoff(await taken('a'), 'a', 'java', 'java'));
    const released = won(await store.release(asked, mark('a')));
    expect(released).to.include({ leaseOwner: 'java', offered: false, given: true });
  });

  it('leaves a lease that is released in the middle of a hand-off to its next owner', async () => {
    const { store } = under();
    const asked = won(await store.requestHandoff(await taken('a'), 'a', 'b', 'ours'));
    const released = won(await store.release(asked, mark('a')));
    expect(released).to.include({ leaseOwner: 'b', checkpointOwner: undefined, offered: true });
    expect(await current(released)).to.deep.equal(released);
    const plain = won(await store.release(await taken('a'), mark('a')));
    expect(plain).to.include({ leaseOwner: undefined, incarnation: undefined });
  });
}

function describeListing(under: Under, taken: (by?: string) => Promise<Lease>): void {
  it('lists everything once, whole or in segments, and keeps what is no lease apart', async () => {
    const { store, plant } = under();
    const mine = [await taken('lister'), await taken('lister'), await taken('lister')];
    await plant({ leaseKey: 'Leader', entityType: 'LEADER', ownerName: 'java' });
    await plant({ leaseKey: 'bad-1', leaseCounter: 1, checkpoint: 'nonsense' });
    const read = async (of: number): Promise<string[]> => {
      const keys: string[] = [];
      for (let n = 0; n < of; n += 1) {
        for await (const page of store.list({ n, of })) {
          keys.push(
            ...page.map((item) =>
              item.type === 'lease' ? item.lease.leaseKey : `${item.type} ${item.leaseKey}`,
            ),
          );
        }
      }
      return keys.sort();
    };
    const whole = await read(wholeTable.of);
    expect(new Set(whole).size).to.equal(whole.length);
    expect(whole).to.include.members([
      ...mine.map((lease) => lease.leaseKey),
      'foreign Leader',
      'malformed bad-1',
    ]);
    expect(await read(3)).to.deep.equal(whole);
    expect([...(await store.ownedBy('lister'))].sort()).to.deep.equal(
      mine.map((lease) => lease.leaseKey).sort(),
    );
    expect(await store.ownedBy('nobody')).to.deep.equal([]);
  });
}
