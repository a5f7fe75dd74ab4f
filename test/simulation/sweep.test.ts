import { expect } from 'chai';
import { ConfigError } from '../../lib/runtime/errors.ts';
import { mutations } from './leases/mutations.ts';
import { leaseHistory } from './leases/world.ts';
import { simulationSettings } from './settings.ts';
import { describeFailure, failureOf } from './simulations.ts';
import { sweep } from './sweep.ts';

describe('many histories', function () {
  // Processes have to start for them.
  this.timeout(20_000);

  it('tell of one that breaks a law what happened last, and how to see it again', async () => {
    const [seeded] = mutations.filter(({ law }) => law === 'I6 in time');
    const history = await leaseHistory(7, seeded!.mutation, 3);
    const text = describeFailure(failureOf('leases', history, 3)!);
    expect(text).to.include(history.trace.at(-1));
    expect(text).to.include('broken: I6 in time');
    expect(text).to.include('SIM_SEED_BASE=7 SIM_SEEDS=1 SIM_STEPS=3 npm run sim -- --only leases');
  });

  it('run each seed once, whatever the number of cores', async () => {
    const told: number[] = [];
    const plan = { simulation: 'leases', base: 5, seeds: 23, troubles: 1 } as const;
    const { done, failures } = await sweep(plan, (count) => told.push(count));
    expect({ done, failures }).to.deep.equal({ done: 23, failures: [] });
    expect(told.at(-1)).to.equal(23);
  });

  it('end at once when they are stopped, and leave no process behind', async () => {
    const stopping = new AbortController();
    const plan = { simulation: 'leases', base: 1, seeds: 1_000_000, troubles: 1 } as const;
    const { done } = await sweep(plan, () => stopping.abort(), stopping.signal);
    expect(done).to.be.within(1, 999);
  });

  it('say which setting cannot be used', () => {
    expect(() => simulationSettings({ SIM_SEEDS: 'many', SIM_STEPS: '0' }))
      .to.throw(ConfigError)
      .with.property('problems')
      .that.has.length(2);
  });
});
