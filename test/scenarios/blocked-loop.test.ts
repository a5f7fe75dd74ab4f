import { expect } from 'chai';
import { LeaseProcesses } from './support/lease-processes.ts';

const failoverMs = 2_000;

describe('scenario 32: user code that blocks the event loop', function () {
  this.timeout(60_000);
  let fleet: LeaseProcesses;
  afterEach(() => fleet.close());

  it('for 3 failover times: the other worker takes over meanwhile; on waking nothing more is delivered or saved', async () => {
    fleet = await LeaseProcesses.open({ failoverMs, shards: 4, blockMs: 3 * failoverMs });
    const a = await fleet.start('a');
    await fleet.start('b');
    await fleet.until(() => fleet.begun('b').size === 2);
    await fleet.until(() => fleet.deliveries('a').length > 100);
    a.process.kill('SIGUSR2');
    await fleet.until(() => fleet.begun('b').size === 4);
    expect(fleet.of('a', 'wake'), 'taken over while it was still blocked').to.deep.equal([]);
    await fleet.until(() => fleet.of('a', 'refused').length >= 2);
    const woke = fleet.lines.findIndex(({ did }) => did === 'wake');
    const mine = fleet.lines.slice(woke).filter(({ workerId }) => workerId === 'a');
    const refused = mine.findLastIndex(({ did }) => did === 'refused');
    expect(mine.slice(0, refused).map(({ did }) => did)).to.not.include('deliver');
    expect(fleet.of('a', 'saved-after-loss')).to.deep.equal([]);
    const lost = fleet.of('a', 'lease-lost').map(({ shardId }) => shardId);
    expect(new Set(lost).size, 'each once').to.equal(lost.length);
    // It takes part again; the other one lost nothing by it.
    await fleet.until(() => fleet.lines.slice(woke).some((l) => l.did === 'begin' && l.workerId === 'a'));
    expect(fleet.of('b', 'lease-lost')).to.deep.equal([]);
    fleet.assertOrder();
  });

  it('for a quarter of the failover time: no lease is lost, and nothing is delivered twice', async () => {
    fleet = await LeaseProcesses.open({ failoverMs, shards: 4, blockMs: failoverMs / 4 });
    const a = await fleet.start('a');
    await fleet.start('b');
    await fleet.until(() => fleet.begun('b').size === 2);
    await fleet.until(() => fleet.deliveries('a').length > 100);
    a.process.kill('SIGUSR2');
    await fleet.until(() => fleet.of('a', 'wake').length === 1);
    const mark = fleet.lines.length;
    await fleet.until(() => fleet.lines.slice(mark).filter(({ did }) => did === 'deliver').length > 200);
    expect(fleet.lines.filter(({ did }) => did === 'lease-lost')).to.deep.equal([]);
    const seen = fleet.deliveries().map(({ at, shardId }) => `${shardId} ${at}`);
    expect(new Set(seen).size).to.equal(seen.length);
    fleet.assertOrder();
  });
});
