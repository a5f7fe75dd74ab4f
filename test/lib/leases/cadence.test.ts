import { expect } from 'chai';
import { type Cadence, cadenceFor, type FleetSize, type PulseRanks } from '../../../lib/leases/cadence.ts';
import { timingsFor } from '../../../lib/leases/timings.ts';

const timings = timingsFor(10_000);
const id = (worker: number): string => `w${String(worker).padStart(3, '0')}`;

/** A fleet whose leases go round: w000 has the first, w001 the second, … */
function fleetOf(me: number, workers: number, leases: number, pulses?: Partial<PulseRanks>): FleetSize {
  return {
    me: id(me),
    workers,
    leases,
    held: me < workers ? Math.floor(leases / workers) : 0,
    ownersInOrder: Array.from({ length: leases }, (_, i) => id(i % workers)),
    pulses:
      pulses === undefined
        ? undefined
        : {
            incarnation: `${id(me)}/1`,
            alive: Array.from({ length: workers }, (_, i) => `${id(i)}/1`),
            missing: false,
            ...pulses,
          },
  };
}

const withPulses = (me: number, workers: number, leases: number, over: Partial<PulseRanks> = {}): Cadence =>
  cadenceFor(timings, fleetOf(me, workers, leases, over));
const withoutPulses = (me: number, workers: number, leases: number): Cadence =>
  cadenceFor(timings, fleetOf(me, workers, leases));

/** An entry of the index of pulses, of a worker and process with long names. */
const pulseBytes = 200;

/** Read units a second of the whole fleet: surveys at 400 bytes a lease, polls, and what is watched. */
function unitsPerSecond(workers: number, leases: number): number {
  let units = 0;
  for (let me = 0; me < workers; me += 1) {
    const { pollMs, surveyMs, watch } = withPulses(me, workers, leases);
    units += (leases * 0.05 * 1_000) / surveyMs + (0.5 * 1_000) / pollMs;
    if (watch.type === 'all pulses')
      units += (Math.ceil((workers * pulseBytes) / 4_096) * 500) / watch.everyMs;
    if (watch.type === 'pulse before') units += 500 / watch.everyMs;
  }
  return units;
}

describe('cadence', () => {
  it('lets each worker of a small fleet survey for itself', () => {
    expect(withoutPulses(1, 3, 15)).to.deep.equal({
      role: 'each',
      surveyMs: 3_000,
      pollMs: 1_000,
      unrungPollMs: 1_000,
      offerMs: 3_000,
      watch: { type: 'surveys' },
      large: false,
    });
  });

  it('asks rarely where a worker has so many leases that it hears a bell, and waits longer for it', () => {
    expect(withoutPulses(1, 3, 48)).to.include({ pollMs: 30_000, offerMs: 7_820 });
    expect(withPulses(1, 50, 1_000)).to.include({ pollMs: 30_000, offerMs: 15_000 });
    expect(withPulses(1, 50, 500)).to.include({ pollMs: 5_000, offerMs: 15_000 });
  });

  it('puts the first process by its pulse on duty; each other one watches the one before it, ever less often', () => {
    const roles = [0, 1, 2, 49].map((me) => withPulses(me, 50, 1_000));
    expect(roles.map(({ role }) => role)).to.deep.equal(['duty', 'relieved', 'relieved', 'relieved']);
    expect(roles.map(({ watch }) => watch)).to.deep.equal([
      { type: 'all pulses', everyMs: 2_000 },
      { type: 'pulse before', of: 'w000/1', everyMs: 2_000 },
      { type: 'pulse before', of: 'w001/1', everyMs: 4_000 },
      { type: 'pulse before', of: 'w048/1', everyMs: 120_000 },
    ]);
  });

  it('puts whoever sees nobody before it on duty, although its own pulse may not be in the index yet', () => {
    expect(withPulses(1, 50, 1_000, { alive: ['w002/1', 'w003/1'] })).to.include({ role: 'duty' });
    expect(withPulses(1, 50, 1_000, { alive: [] })).to.include({ role: 'duty' });
  });

  it('surveys as often as in a small fleet while some leases are held by processes without a pulse', () => {
    expect(withPulses(0, 50, 1_000)).to.include({ role: 'duty', surveyMs: 25_000 });
    expect(withPulses(0, 50, 1_000, { missing: true })).to.include({ role: 'duty', surveyMs: 3_000 });
  });

  it('puts the owners of the first two leases on duty where the table has no index of pulses', () => {
    const roles = [0, 1, 2, 49].map((me) => withoutPulses(me, 50, 1_000).role);
    expect(roles).to.deep.equal(['duty', 'duty', 'relieved', 'relieved']);
    expect(withoutPulses(2, 50, 1_000).watch).to.deep.equal({ type: 'first lease', everyMs: 10_000 });
  });

  it('has a worker without leases see to its share itself, since nobody knows it', () => {
    expect(withPulses(50, 50, 1_000)).to.deep.include({
      role: 'each',
      surveyMs: 6_000,
      watch: { type: 'surveys' },
    });
  });

  it('reads rarely where a worker is alone with many leases', () => {
    for (const cadence of [withPulses(0, 1, 1_000), withoutPulses(0, 1, 1_000)]) {
      expect(cadence).to.include({ surveyMs: 50_000, pollMs: 30_000 });
    }
  });

  it('costs a fleet of 50 with 1,000 leases less than 5 % of what KCL 2 reads (122.5 units a second)', () => {
    expect(unitsPerSecond(50, 1_000)).to.be.lessThan(0.05 * 122.5);
  });

  it('costs the more the larger the table is and hardly more the larger the fleet, but for polls and the hourly look', () => {
    for (const workers of [2, 5, 10, 50, 200]) {
      for (const leases of [400, 1_000, 5_000]) {
        const hourly = (workers * leases * 0.05) / 3_600;
        const pulses = (workers * pulseBytes) / 4_096 / 4 + 2;
        expect(unitsPerSecond(workers, leases) - hourly - pulses, `${workers} × ${leases}`).to.be.lessThan(8);
      }
    }
  });
});
