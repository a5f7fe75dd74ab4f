import { expect } from 'chai';
import type { Lease } from '../../lib/leases/lease.ts';
import type { WriteOutcome } from '../../lib/leases/lease-store.ts';
import type { WriteMark } from '../../lib/leases/lease-writes.ts';
import type { StoreUnderTest } from './lease-store.ts';
import { mark, position, won } from './outcomes.ts';

/** The part of the contract that is about pulses and bells. */
export function describePulses(
  under: () => StoreUnderTest,
  taken: (by?: string) => Promise<Lease>,
  current: (lease: Lease) => Promise<Lease>,
): void {
  const beating = (worker: string): WriteMark => ({ ...mark(worker), pulse: true });
  /** Indexes of DynamoDB lag by moments, those of the stand-ins do not. */
  const pulsesOf = async (worker: string) => under().store.pulses(`${worker}/1`);

  it('lists the pulses of all processes, and of one, by what was written last', async () => {
    const { store } = under();
    const first = won(await store.renew(await taken('p-1'), beating('p-1')));
    const second = won(await store.checkpoint(await taken('p-2'), position(1), {}, beating('p-2')));
    await taken('p-3');
    expect([first.pulse, second.pulse]).to.deep.equal([true, true]);
    const renewed = won(await store.renew(first, mark('p-1')));
    expect(renewed).to.deep.include({ pulse: true, counter: first.counter + 1 });
    const mine = { leaseKey: first.leaseKey, incarnation: 'p-1/1', counter: renewed.counter };
    const theirs = { leaseKey: second.leaseKey, incarnation: 'p-2/1', counter: second.counter };
    expect(await pulsesOf('p-1')).to.deep.equal([mine]);
    expect(await pulsesOf('p-3')).to.deep.equal([]);
    expect(await store.pulses()).to.deep.include.members([mine, theirs]);
  });

  it('ends a pulse with whatever ends the tenure', async () => {
    const { store } = under();
    const endings: readonly ((lease: Lease) => Promise<WriteOutcome>)[] = [
      (lease) => store.release(lease, mark('q')),
      (lease) => store.assign(lease, 'b', mark('q'), 'ours'),
      (lease) => store.finish(lease, [], {}, mark('q')),
      (lease) => store.take(lease, mark('b')),
      (lease) => store.take(lease, mark('q')),
    ];
    for (const end of endings) {
      const lease = won(await store.renew(await taken('q'), beating('q')));
      expect(await pulsesOf('q')).to.have.length(1);
      expect(won(await end(lease)).pulse).to.equal(false);
      expect(await pulsesOf('q')).to.deep.equal([]);
    }
  });

  it('trusts no pulse that another owner has left where it was', async () => {
    const { item, plant, store } = under();
    const lease = won(await store.renew(await taken('r'), beating('r')));
    await plant({ ...(await item(lease.leaseKey)), leaseOwner: 'java' });
    expect(await current(lease)).to.deep.include({ leaseOwner: 'java', pulse: false });
  });

  it('rings at a lease of a worker without touching what that one counts on, and only at its own', async () => {
    const { store } = under();
    const lease = await taken('s');
    const rung = won(await store.ring(lease.leaseKey, 's', 'ding'));
    expect(rung).to.deep.equal({ ...lease, bell: 'ding' });
    expect(won(await store.renew(lease, mark('s')))).to.include({ bell: 'ding' });
    expect((await store.ring(lease.leaseKey, 't', 'dong')).type).to.equal('lost');
    expect((await store.ring('no-such-lease', 's', 'dong')).type).to.equal('missing');
  });
}
