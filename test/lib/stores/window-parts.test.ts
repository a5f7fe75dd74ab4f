import { expect } from 'chai';
import fc from 'fast-check';
import { bucketReachMs, bucketSpanMs, bucketStartMs } from '../../../lib/stores/window-parts.ts';

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000] as const;

describe('buckets of windows', () => {
  for (const [size, span, what] of [
    [second, minute, '60 windows at most'],
    [minute, hour, 'an hour'],
    [5 * minute, hour, 'an hour'],
    [45 * minute, 45 * minute, 'one window'],
    [hour, hour, 'one window'],
    [day, day, 'one window'],
    [7 * minute, 7 * minute, 'one window where days are no multiple of it'],
    [40 * second, 40 * minute, 'the most windows that divide a day'],
  ] as const) {
    it(`of ${size / second} s have ${what}`, () => expect(bucketSpanMs(size)).to.equal(span));
  }

  it('law: begin with a window, have all of it, end on the day of the start, and are within reach of readers', () => {
    const size = fc.integer({ min: 1, max: 86_400 }).map((seconds) => seconds * second);
    fc.assert(
      fc.property(size, fc.integer({ min: -1_000_000, max: 1_000_000 }), (sizeMs, n) => {
        const startMs = n * sizeMs;
        const from = bucketStartMs(startMs, sizeMs);
        const dayOf = (ms: number) => Math.floor(ms / day);
        expect(Math.abs(from % sizeMs)).to.equal(0);
        expect(startMs).to.be.within(from, from + bucketSpanMs(sizeMs) - sizeMs);
        expect(startMs - from).to.be.below(bucketReachMs);
        expect(dayOf(from)).to.equal(dayOf(startMs));
      }),
    );
  });
});
