import { runHistory } from './leases/history.ts';

const seeds = Number(process.env.SIM_SEEDS ?? 100);
const base = Number(process.env.SIM_SEED_BASE ?? 1);

describe('leases, simulated', function () {
  this.timeout(0);
  it(`keeps every law in ${seeds} random histories from seed ${base} on`, async () => {
    for (let seed = base; seed < base + seeds; seed += 1) {
      const { broken } = await runHistory(seed);
      if (broken[0] !== undefined) throw new Error(`SIM_SEED_BASE=${seed} SIM_SEEDS=1: ${broken[0].message}`);
    }
  });
});
