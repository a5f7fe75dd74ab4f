import { expect } from 'chai';
import { failure } from '../support/lease-scene.ts';
import { createStage, eventsOf, type StageWorker } from './support/stage.ts';

const as = (processId: string) => ({ leases: { processId } });

describe('scenario 11: two processes with one worker id', function () {
  this.timeout(20_000);

  it('the later one does not start, and says why; the first goes on as if nothing had happened', async () => {
    const stage = createStage(4);
    const first = stage.start('a', as('one'));
    await stage.putEach(10, 'before');
    await stage.clock.advance(10_000);
    const second = stage.start('a', as('two'));
    const refused = failure(second.done);
    await stage.putEach(10, 'after');
    await stage.until('it has given up', second.ended, 10_000);
    expect(await refused).to.include({ code: 'duplicate-worker' });
    expect(eventsOf(second, 'duplicate-worker')).to.have.length(1);
    expect(eventsOf(second, 'lease-taken')).to.deep.equal([]);
    expect(eventsOf(first, 'lease-lost')).to.deep.equal([]);
    expect([stage.audit.undelivered(), stage.audit.repeated()]).to.deep.equal([0, []]);
    await stage.end();
  });

  it('started at the same moment: it is noticed, one goes, and nothing is delivered by both', async () => {
    const stage = createStage(8);
    const both = [stage.start('a', as('one')), stage.start('a', as('two'))] as const;
    const ends = both.map((worker: StageWorker) => failure(worker.done));
    await stage.putEach(10, 'before');
    await stage.until('one has gone', () => both.some((worker) => worker.ended()), 30_000);
    const [loser, winner] = both[0].ended() ? both : [both[1], both[0]];
    expect(await ends[both.indexOf(loser)]).to.include({ code: 'duplicate-worker' });
    await stage.putEach(10, 'after');
    await stage.until('the other has all', () => winner.shards().length === 8, 15_000);
    await stage.clock.advance(5_000);
    expect(winner.ended()).to.equal(false);
    expect([stage.audit.undelivered(), stage.audit.repeated()]).to.deep.equal([0, []]);
    await stage.end();
  });
});
