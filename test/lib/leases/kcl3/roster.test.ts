import { expect } from 'chai';
import type { LeaseEvent } from '../../../../lib/leases/diagnostics.ts';
import { Roster } from '../../../../lib/leases/kcl3/roster.ts';
import { createManualClock } from '../../../../lib/runtime/manual-clock.ts';

function scene() {
  const clock = createManualClock({ startMs: 1_700_000_000_000 });
  const events: LeaseEvent[] = [];
  const roster = new Roster({ clock, worker: 'me', report: (event) => void events.push(event) });
  const see = (worker: string, aheadMs = 0, ours = false): void => {
    const updatedAtSeconds = Math.floor((clock.now() + aheadMs) / 1_000);
    roster.see({ worker, updatedAtSeconds, ours });
  };
  return { clock, events, roster, see };
}

describe('the roster of a KCL 3 fleet', () => {
  it('knows who is alive by the change of what it publishes', async () => {
    const { clock, roster, see } = scene();
    see('java');
    expect(roster.java()).to.deep.equal(['java']);
    await clock.advance(59_000);
    expect(roster.java()).to.deep.equal(['java']);
    await clock.advance(1_000);
    expect(roster.java()).to.deep.equal([]);
    see('java');
    expect(roster.java()).to.deep.equal(['java']);
  });

  it('takes old metrics for those of a dead worker until they change, whatever clock wrote them', () => {
    const { roster, see } = scene();
    see('java', -600_000);
    expect(roster.isJava('java')).to.equal(false);
    see('java', -570_000);
    expect(roster.isJava('java')).to.equal(true);
  });

  it('tells ours from Java’s', () => {
    const { roster, see } = scene();
    see('b', 0, true);
    expect([roster.isJava('b'), roster.isOurs('b'), roster.isOurs('java')]).to.deep.equal([
      false,
      true,
      false,
    ]);
  });

  it('warns once of a wall clock that differs by more than a quarter of what makes metrics stale', async () => {
    const { clock, events, see } = scene();
    see('fast', 14_000);
    see('slow', 0);
    see('me', 600_000);
    await clock.advance(30_000);
    see('fast', 16_000);
    see('slow', -50_000);
    await clock.advance(30_000);
    see('fast', 17_000);
    expect(events).to.deep.equal([
      { type: 'clock-skew', worker: 'fast', byMs: 16_000 },
      { type: 'clock-skew', worker: 'slow', byMs: -19_000 },
    ]);
  });

  it('cannot tell a slow clock from a long time between two looks, and says nothing', async () => {
    const { clock, events, see } = scene();
    see('java');
    await clock.advance(600_000);
    see('java', -590_000);
    expect(events).to.deep.equal([]);
  });
});
