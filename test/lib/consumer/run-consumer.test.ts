import { expect } from 'chai';
import type { EventHandler } from '../../../lib/consumer/events.ts';
import { createConsumerKit, type KitOptions } from '../../../lib/consumer/testing.ts';
import type { Event } from '../../../lib/event/event.ts';

function event(id: string, subject = id): Event {
  const time = '2026-01-01T00:00:00Z';
  return {
    id,
    source: 'tests',
    type: 'thing',
    time,
    timeMs: Date.parse(time),
    subject,
    attributes: {},
    data: {},
  };
}

/** Remembers the ids of what it handled, in order. */
function remember(handled: string[]): EventHandler {
  return {
    start: async () => {},
    handle: async (events) => events.map(({ event: { id } }) => (handled.push(id), 'done')),
    flush: async () => ({}),
  };
}

function kitOf(handled: string[], over: Partial<KitOptions> = {}) {
  return createConsumerKit({ streams: { orders: 2 }, handlerFor: () => remember(handled), ...over });
}

const ids = Array.from({ length: 40 }, (_, index) => `e${index}`);

describe('a consumer', () => {
  it('handles every event of every stream, and hands its leases back when it stops', async () => {
    const handled: string[] = [];
    const kit = kitOf(handled, { streams: { orders: 2, payments: 1 } });
    const worker = kit.startWorker();
    await kit.send(
      'orders',
      ids.map((id) => event(id)),
    );
    await kit.send('payments', [event('p')]);
    await kit.until(() => handled.length === 41);
    expect(
      worker.consumer
        .snapshot()
        .map(({ stream }) => stream)
        .sort(),
    ).to.deep.equal(['orders', 'orders', 'payments']);
    await worker.stop();
    expect(new Set(handled)).to.deep.equal(new Set([...ids, 'p']));
    expect(worker.consumer.snapshot()).to.deep.equal([]);
    const types = kit.diagnostics.map(({ type }) => type);
    expect(types.filter((type) => type === 'lease-released')).to.have.length(3);
  });

  it('goes on where a killed worker had its last checkpoint', async () => {
    const handled: string[] = [];
    const kit = kitOf(handled);
    const first = kit.startWorker();
    await kit.send(
      'orders',
      ids.slice(0, 20).map((id) => event(id)),
    );
    await kit.until(() => kit.diagnostics.filter(({ type }) => type === 'checkpointed').length >= 2);
    first.kill();
    await kit.send(
      'orders',
      ids.slice(20).map((id) => event(id)),
    );
    const second = kit.startWorker();
    await kit.until(() => handled.length >= 40);
    await second.stop();
    expect(handled.toSorted()).to.deep.equal(ids.toSorted());
  });

  it('follows a stream through a reshard, parents first, with order per key', async () => {
    const handled: string[] = [];
    const kit = kitOf(handled, { streams: { orders: 1 } });
    const worker = kit.startWorker();
    for (let round = 0; round < 4; round += 1) {
      await kit.send(
        'orders',
        ids.map((id) => event(`${id}#${round}`, id)),
      );
      const open = (await kit.kinesis.listShards('orders')).filter(
        (s) => s.endingSequenceNumber === undefined,
      );
      kit.kinesis.split('orders', open[round % open.length]!.shardId);
      await kit.clock.advance(500);
    }
    await kit.until(() => handled.length >= 160);
    await worker.stop();
    expect(new Set(handled).size).to.equal(160);
    for (const id of ids) {
      const rounds = handled.filter((text) => text.startsWith(`${id}#`));
      expect(rounds).to.deep.equal([0, 1, 2, 3].map((round) => `${id}#${round}`));
    }
  });

  it('refuses options outside their limits, all in one message', () => {
    expect(() => kitOf([], { options: { pollMs: -1, tries: 0 } }).startWorker()).to.throw(/pollMs[^]*tries/);
  });
});
