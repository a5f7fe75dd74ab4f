import { expect } from 'chai';
import type { EventRecord } from '../../../lib/consumer/events.ts';
import { decodeJson, encodeJson } from '../../../lib/event/codec-json.ts';
import { attribute } from '../../../lib/event/event.ts';
import { type Clock, systemClock } from '../../../lib/runtime/clock.ts';
import { createMemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { parseStamp } from '../../../lib/streams/stamp.ts';
import { StampReader } from '../../../lib/streams/stamp-reader.ts';
import { createStampedWriter } from '../../../lib/streams/stamped-writer.ts';
import { isAtLeast } from '../../../services/detector/decimal.ts';
import { createDetectorHandler } from '../../../services/detector/handler.ts';
import { noStart, sampleContext, sampleRecord } from '../../support/events.ts';

describe('an amount', () => {
  const cases: readonly (readonly [unknown, number, boolean])[] = [
    [100, 100, true],
    ['100', 100, true],
    ['99.99999999999999999999', 100, false],
    ['100.00000000000000000001', 100, true],
    ['0.3', 0.3, true],
    [0.1 + 0.2, 0.3, true],
    ['-100', 100, false],
    ['1e3', 1_000, true],
    ['1E-3', 0.001, true],
    [1e21, 1_000, true],
    ['1,000', 1_000, false],
    ['', 0, false],
    [null, 0, false],
    [Number.NaN, 0, false],
    ['Infinity', 0, false],
    ['1e999', 0, false],
  ];
  for (const [amount, threshold, expected] of cases) {
    it(`${JSON.stringify(amount)} is ${expected ? '' : 'not '}at least ${threshold}, without rounding`, () => {
      expect(isAtLeast(amount, threshold)).to.equal(expected);
    });
  }
});

describe('the detector', () => {
  const clock: Clock = { ...systemClock, sleep: async () => {} };
  const create = () => {
    const kinesis = createMemoryKinesis({ clock });
    kinesis.createStream('derived', 1);
    const handler = () =>
      createDetectorHandler({
        threshold: 1_000,
        encode: encodeJson,
        open: (source, startFloor) =>
          createStampedWriter({ kinesis, stream: 'derived', source, startFloor, clock, random: () => 0 }),
      });
    const raw = () =>
      kinesis.recordsOf('derived', 'shardId-000000000000').map(({ data }) => decodeJson(data));
    return { handler, raw };
  };
  const purchase = (at: number, amount: unknown): EventRecord =>
    sampleRecord({
      at,
      id: `p${at}`,
      type: 'PURCHASE',
      subject: 'user-1',
      time: at * 1_000,
      data: { amount },
    });

  it('derives one event per purchase of high value, at the time of its cause and with its key', async () => {
    const { handler, raw } = create();
    const detector = handler();
    await detector.start(noStart, sampleContext());
    const batch = [
      purchase(1, '999.99'),
      purchase(2, '1000.00'),
      sampleRecord({ at: 3, data: { amount: 5_000 } }),
    ];
    expect(await detector.handle(batch, sampleContext())).to.deep.equal(['nothing', 'derived', 'nothing']);
    const [derived] = raw();
    expect(raw()).to.have.length(1);
    expect(derived).to.deep.include({
      type: 'HIGH_VALUE_PURCHASE',
      time: '1970-01-01T00:00:02.000Z',
      subject: 'user-1',
      data: { amount: '1000.00', threshold: 1_000, rule_version: 1, causes: ['p2'] },
    });
  });

  it('derives the same id and the same stamp on a replay, so that readers drop the second copy', async () => {
    const { handler, raw } = create();
    for (let owner = 0; owner < 2; owner += 1) {
      const detector = handler();
      await detector.start(noStart, sampleContext());
      await detector.handle([purchase(2, 1_000), purchase(5, 2_000)], sampleContext());
    }
    const reader = StampReader.load(undefined);
    const fresh = raw().filter(
      (event) => reader.judge(parseStamp(event.attributes[attribute.stamp]!)!, 0) === 'new',
    );
    expect(raw()).to.have.length(4);
    expect(fresh).to.have.length(2);
    expect(new Set(raw().map(({ id }) => id)).size).to.equal(2);
  });
});
