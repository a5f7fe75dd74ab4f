import { expect } from 'chai';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';

async function tick(
  clock: Clock,
  everyMs: number,
  times: number,
  log: string[],
  name: string,
): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    await clock.sleep(everyMs);
    log.push(`${name}@${clock.monotonic()}`);
  }
}

describe('manual clock', () => {
  it('ends sleeps in the order they fall due, and lets each one’s consequences happen first', async () => {
    const clock = createManualClock({ startMs: 1_000 });
    const log: string[] = [];
    const loops = [tick(clock, 20, 3, log, 'a'), tick(clock, 30, 2, log, 'b')];
    await clock.advance(59);
    expect(log).to.deep.equal(['a@20', 'b@30', 'a@40']);
    await clock.advance(1);
    await Promise.all(loops);
    // b slept first for this moment (at 30), a at 40.
    expect(log.slice(3)).to.deep.equal(['b@60', 'a@60']);
    expect(clock.now()).to.equal(1_060);
    expect(clock.waiting()).to.equal(0);
  });

  it('ends a sleep at once when its signal aborts', async () => {
    const clock = createManualClock();
    const stop = new AbortController();
    const asleep = clock.sleep(1_000, stop.signal);
    stop.abort();
    await asleep;
    expect(clock.waiting()).to.equal(0);
    await clock.sleep(1_000, stop.signal);
  });

  it('holds back the sleeps of a stopped process until it goes on; its monotonic clock has run', async () => {
    const clock = createManualClock();
    const process = clock.view();
    const log: string[] = [];
    const loop = tick(process, 10, 1, log, 'p');
    process.freeze('stopped');
    await clock.advance(50);
    expect(log).to.deep.equal([]);
    process.thaw();
    await clock.advance(0);
    await loop;
    expect(log).to.deep.equal(['p@50']);
  });

  it('stops the monotonic clock of a suspended machine, while its wall clock goes on', async () => {
    const clock = createManualClock();
    const machine = clock.view();
    const log: string[] = [];
    const loop = tick(machine, 10, 1, log, 'm');
    await clock.advance(4);
    machine.freeze('suspended');
    await clock.advance(50);
    machine.thaw();
    expect([machine.monotonic(), machine.now()]).to.deep.equal([4, 54]);
    await clock.advance(6);
    await loop;
    expect(log).to.deep.equal(['m@10']);
  });

  it('moves the wall clock of one view only', () => {
    const clock = createManualClock({ startMs: 100 });
    const other = clock.view();
    other.jumpWall(3_600_000);
    expect([clock.now(), other.now()]).to.deep.equal([100, 3_600_100]);
  });
});
