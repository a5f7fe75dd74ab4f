import { expect } from 'chai';
import fc from 'fast-check';
import { OutboundHistory } from './exactly-once-model.ts';

/** One number replays a history: WEIR_SEED=123 npx mocha … -g 'every position'. */
const oneSeed = process.env.WEIR_SEED;

describe('stamps make effects happen once', () => {
  it('every position has its effect once and in order per key, whatever fails, crashes or lives on', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
        const { missing, twice, disordered } = await new OutboundHistory(seed).run();
        expect({ missing, twice, disordered }, `seed ${seed}`).to.deep.equal({
          missing: [],
          twice: [],
          disordered: [],
        });
      }),
      oneSeed === undefined ? { numRuns: 60 } : { examples: [[Number(oneSeed)]], numRuns: 1 },
    );
  });
});
