import { expect } from 'chai';
import fc from 'fast-check';
import type { KeyOrder } from '../../../lib/streams/put-batches.ts';
import { type Differences, OutboundHistory } from './exactly-once-model.ts';

/** One number replays a history: WEIR_SEED=123 npx mocha … */
const oneSeed = process.env.WEIR_SEED;
const histories: fc.Parameters<[number]> =
  oneSeed === undefined ? { numRuns: 40 } : { examples: [[Number(oneSeed)]], numRuns: 1 };

async function inEveryHistory(
  keyOrder: KeyOrder,
  check: (differences: Differences, seed: string) => void,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      check(await new OutboundHistory(seed, keyOrder).run(), `seed ${seed}`);
    }),
    histories,
  );
}

describe('stamps make effects happen once', function () {
  // Forty histories of hundreds of calls each, on a machine that may be busy.
  this.timeout(60_000);

  it('whatever fails, crashes or lives on, every position has its effect once, in order per key', () =>
    inEveryHistory('strict', (differences, seed) => {
      expect(differences, seed).to.deep.equal({ missing: [], twice: [], disordered: [] });
    }));

  it('every position has its effect once where calls are full, too', () =>
    inEveryHistory('by-call', ({ missing, twice }, seed) => {
      expect({ missing, twice }, seed).to.deep.equal({ missing: [], twice: [] });
    }));
});
