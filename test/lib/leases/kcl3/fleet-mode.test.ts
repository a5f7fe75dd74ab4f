import { expect } from 'chai';
import {
  type Compat,
  fleetMode,
  type FleetMode,
  type FleetState,
  lockPlace,
  metricsPlace,
  parseLeaderLock,
} from '../../../../lib/leases/kcl3/fleet-mode.ts';
import { LockWatch } from '../../../../lib/leases/kcl3/lock-watch.ts';
import { lockItem } from '../../../support/java-leader.ts';

const nothing: FleetState = { clientVersion: undefined, led: false, place: undefined };
const version = (name: string, led = false): FleetState => ({
  clientVersion: `CLIENT_VERSION_${name}`,
  led,
  place: 'lease-table',
});

describe('the mode of a fleet', () => {
  const cases: readonly (readonly [rule: string, compat: Compat, state: FleetState, mode: FleetMode])[] = [
    ['is our own where nothing of KCL 3 is found', 'auto', nothing, 'native'],
    ['is that of KCL 2 before a migration and after it was rolled back', 'auto', version('2X'), 'kcl2'],
    ['counts, and publishes, on the way from 2', 'auto', version('UPGRADE_FROM_2X'), 'kcl3-upgrade'],
    ['leaves the leases to a living leader', 'auto', version('3X', true), 'kcl3-led'],
    ['leaves them to it also while one can go back', 'auto', version('3X_WITH_ROLLBACK', true), 'kcl3-led'],
    ['is led by our rules where no leader lives', 'auto', version('3X'), 'kcl3-leaderless'],
    [
      'is led by our rules where ours is the first member of a KCL 3 fleet',
      'kcl3',
      nothing,
      'kcl3-leaderless',
    ],
    ['stays our own where it was said so', 'native', version('3X', true), 'native'],
    ['stays that of KCL 2 where it was said so', 'kcl2', version('3X', true), 'kcl2'],
  ];
  for (const [rule, compat, state, mode] of cases) {
    it(rule, () => expect(fleetMode(compat, state)).to.equal(mode));
  }

  const places = ['INIT', 'DEPLOYED', 'PENDING', 'COMPLETE'].map((name) => {
    const tm = `TABLE_MIGRATION_STATUS_${name}`;
    return [name, metricsPlace(true, tm), lockPlace(true, tm)];
  });

  it('moves from the old tables to the lease table as the Java workers do, the lock last', () => {
    expect(places).to.deep.equal([
      ['INIT', 'legacy-tables', 'legacy-tables'],
      ['DEPLOYED', 'legacy-tables', 'legacy-tables'],
      ['PENDING', 'lease-table', 'legacy-tables'],
      ['COMPLETE', 'lease-table', 'lease-table'],
    ]);
    expect([metricsPlace(true, undefined), metricsPlace(false, undefined)]).to.deep.equal([
      'legacy-tables',
      'lease-table',
    ]);
  });
});

describe('the lock of a Java leader', () => {
  it('is held while its version changes within its duration, by the clock of who watches', () => {
    const watch = new LockWatch();
    const seen = (v: string, nowMs: number): string | undefined =>
      watch.see(parseLeaderLock(lockItem('java', v)), nowMs);
    expect([seen('1', 0), seen('1', 119_999), seen('1', 120_000)]).to.deep.equal(['java', 'java', undefined]);
    expect([seen('2', 130_000), seen('2', 249_999), seen('2', 250_000)]).to.deep.equal([
      'java',
      'java',
      undefined,
    ]);
  });

  it('is not held once it was released, or where it is none', () => {
    expect(parseLeaderLock({ ...lockItem('java', '1'), isReleased: '1' })).to.equal(undefined);
    expect(parseLeaderLock({ ...lockItem('java', '1'), leaseDuration: 'long' })).to.equal(undefined);
    expect(parseLeaderLock(undefined)).to.equal(undefined);
  });
});
