import { expect } from 'chai';
import { Admission } from '../../../lib/consumer/admission.ts';
import { ByteBudget } from '../../../lib/consumer/byte-budget.ts';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';

function opened(limit: number) {
  const budget = new ByteBudget(limit);
  const over = new AbortController();
  const clock = createManualClock();
  return { budget, over, clock, admission: new Admission(budget.share(), clock, over.signal) };
}

describe('the admission of pages that are pushed', () => {
  it('is what was paid when the head of the page came, and tells when that was', async () => {
    const { admission, budget, clock } = opened(100);
    await admission.room(60);
    const cameMs = clock.monotonic();
    await clock.advance(500);
    const paid = await admission.claim(70);
    expect(paid?.cameMs).to.equal(cameMs);
    expect(budget.used).to.equal(60);
    paid?.grant.release();
    expect(budget.used).to.equal(0);
  });

  it('is paid afterwards for a source that does not ask before', async () => {
    const { admission, budget } = opened(100);
    await admission.claim(70);
    expect(budget.used).to.equal(70);
  });

  it('gives back what no page was claimed with: the next one pays for itself alone', async () => {
    const { admission, budget } = opened(100);
    await admission.room(60);
    await admission.room(50);
    expect(budget.used).to.equal(50);
    admission.release();
    expect(budget.used).to.equal(0);
  });

  it('keeps nothing once the subscription is over, also where the budget grants at that moment', async () => {
    const { admission, budget, over } = opened(100);
    const others = await budget.share().reserve(100, new AbortController().signal);
    const waiting = admission.room(60);
    expect(admission.isWaiting).to.equal(true);
    others?.release();
    over.abort();
    admission.release();
    await waiting;
    expect(admission.isWaiting).to.equal(false);
    expect(budget.used).to.equal(0);
  });
});
