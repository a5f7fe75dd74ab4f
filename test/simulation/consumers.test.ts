import { expect } from 'chai';
import { mutations } from './consumers/mutations.ts';
import { consumerHistory } from './consumers/world.ts';
import { simulationSettings } from './settings.ts';
import { describeFailure } from './simulations.ts';
import { sweep } from './sweep.ts';

const settings = simulationSettings(process.env);
const { base, seeds } = settings;

describe('consumers, simulated', function () {
  this.timeout(0);

  it(`keep every law in ${seeds} random histories, from seed ${base} on`, async () => {
    const { done, failures } = await sweep({ simulation: 'consumers', ...settings });
    expect(failures.map(describeFailure).join('\n\n')).to.equal('');
    expect(done).to.equal(seeds);
  });

  it('unfold the same way each time a seed is run, and differently for another seed', async () => {
    const first = await consumerHistory(base);
    expect((await consumerHistory(base)).trace).to.deep.equal(first.trace);
    expect((await consumerHistory(base + 1)).trace).not.to.deep.equal(first.trace);
    expect(first.trace.length).to.be.greaterThan(50);
  });

  for (const { bug, law, mutation } of mutations) {
    it(`break "${law}" when ${bug}`, async () => {
      const seen = new Set<string>();
      for (let seed = 1; seed <= 60 && !seen.has(law); seed += 1) {
        for (const breach of (await consumerHistory(seed, mutation)).broken) seen.add(breach.law);
      }
      expect([...seen]).to.include(law);
    });
  }
});
