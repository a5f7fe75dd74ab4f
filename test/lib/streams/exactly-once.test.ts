import { expect } from 'chai';
import fc from 'fast-check';
import { CountedHistory } from './counted-model.ts';
import { OutboundHistory } from './exactly-once-model.ts';
import { type Differences, none } from './model-world.ts';

/** One number replays a history: WEIR_SEED=123 npx mocha … */
const oneSeed = process.env.WEIR_SEED;
const histories: fc.Parameters<[number]> =
  oneSeed === undefined ? { numRuns: 40 } : { examples: [[Number(oneSeed)]], numRuns: 1 };

async function noDifferenceIn(run: (seed: number) => Promise<Differences>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      expect(await run(seed), `seed ${seed}`).to.deep.equal(none);
    }),
    histories,
  );
}

describe('stamps make effects happen once, in order per key, whatever fails, crashes or lives on', function () {
  // Forty histories of hundreds of calls each, on a machine that may be busy.
  this.timeout(60_000);

  it('every position that is put until it is taken has its effect', () =>
    noDifferenceIn((seed) => new OutboundHistory(seed).run()));

  it('every position that its sender was told is taken has its effect, no other one has it out of order', () =>
    noDifferenceIn((seed) => new CountedHistory(seed).run()));
});
