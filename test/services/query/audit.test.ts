import { expect } from 'chai';
import { auditConsumers } from '../../../services/query/audit.ts';
import type { ConsumerStatus, PlatformStatus } from '../../../services/query/status.ts';

const entry = (count: number, digest: number) => ({ count, digest: digest.toString(16).padStart(32, '0') });

function consumer(
  name: string,
  streams: readonly string[],
  outcomes: ConsumerStatus['outcomes'],
): ConsumerStatus {
  return { consumer: name, streams, outcomes, shards: [] };
}

function status(consumers: readonly ConsumerStatus[], settled = true): PlatformStatus {
  return { as_of: '2026-11-20T08:00:00.000Z', settled, consumers };
}

describe('the audit of consumers', () => {
  const store = consumer('event-store', ['a', 'b'], { stored: entry(3, 60) });

  it('finds nothing where readers of the same streams saw the same events, whatever became of them', () => {
    const archiver = consumer('archiver', ['b', 'a'], {
      archived: entry(2, 50),
      'dead-lettered': entry(1, 10),
    });
    expect(auditConsumers(status([store, archiver]))).to.deep.equal([]);
  });

  it('does not count copies that their stamps prove to be second ones', () => {
    const archiver = consumer('archiver', ['a', 'b'], {
      archived: entry(3, 60),
      repeat: entry(9, 1),
      early: entry(1, 7),
    });
    expect(auditConsumers(status([store, archiver]))).to.deep.equal([]);
  });

  it('names the readers between which an event is missing', () => {
    const archiver = consumer('archiver', ['a', 'b'], { archived: entry(2, 40) });
    expect(auditConsumers(status([store, archiver]))).to.deep.equal([
      { between: ['event-store', 'archiver'], counts: [3, 2], events: 1 },
    ]);
  });

  it('sees by the digest that as many, but other events were read', () => {
    const archiver = consumer('archiver', ['a', 'b'], { archived: entry(3, 61) });
    expect(auditConsumers(status([store, archiver]))?.[0]?.events).to.equal(0);
  });

  it('adds digests modulo 2^128', () => {
    const half = 'f'.repeat(32);
    const wrapped = consumer('archiver', ['a', 'b'], {
      archived: { count: 1, digest: half },
      unwindowed: { count: 2, digest: 61n.toString(16).padStart(32, '0') },
    });
    expect(auditConsumers(status([store, wrapped]))).to.deep.equal([]);
  });

  it('compares only readers of the same streams', () => {
    const other = consumer('aggregator', ['a'], { windowed: entry(1, 5) });
    expect(auditConsumers(status([store, other]))).to.deep.equal([]);
  });

  it('gives no verdict while events are on their way', () => {
    const archiver = consumer('archiver', ['a', 'b'], {});
    expect(auditConsumers(status([store, archiver], false))).to.equal(undefined);
  });
});
