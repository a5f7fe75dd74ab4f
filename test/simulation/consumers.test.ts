import { expect } from 'chai';
import { consumerHistory } from './consumers/world.ts';

const seeds = Number(process.env.SIM_SEEDS ?? 200);
const base = Number(process.env.SIM_SEED_BASE ?? 1);

describe('consumers, simulated', function () {
  this.timeout(0);

  it(`keep every law in ${seeds} random histories, from seed ${base} on`, async () => {
    for (let seed = base; seed < base + seeds; seed += 1) {
      const { broken } = await consumerHistory(seed);
      if (broken[0] !== undefined) throw new Error(`SIM_SEED_BASE=${seed} SIM_SEEDS=1: ${broken[0].message}`);
    }
  });

  it('unfold the same way each time a seed is run, and differently for another seed', async () => {
    const first = await consumerHistory(base);
    expect((await consumerHistory(base)).trace).to.deep.equal(first.trace);
    expect((await consumerHistory(base + 1)).trace).not.to.deep.equal(first.trace);
    expect(first.trace.length).to.be.greaterThan(50);
  });
});
