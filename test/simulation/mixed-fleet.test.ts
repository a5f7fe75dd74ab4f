import { MixedFleet } from './mixed-fleet.ts';

const seeds = Number(process.env.MIXED_SEEDS ?? 60);
const base = Number(process.env.SIM_SEED_BASE ?? 1);

describe('a fleet of ours and Java’s, simulated', function () {
  this.timeout(0);

  it(`has every shard worked on by one in the end, in ${seeds} random histories, from seed ${base} on`, async () => {
    for (let seed = base; seed < base + seeds; seed += 1) {
      const fleet = new MixedFleet(seed);
      const ailment = await fleet.run();
      if (ailment !== undefined) {
        throw new Error(`SIM_SEED_BASE=${seed} MIXED_SEEDS=1: ${ailment}\n${fleet.trace.join('\n')}`);
      }
    }
  });
});
