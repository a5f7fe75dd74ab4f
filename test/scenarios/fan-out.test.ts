import { expect } from 'chai';
import { DeregisterStreamConsumerCommand } from '@aws-sdk/client-kinesis';
import { systemClock } from '../../lib/runtime/clock.ts';
import { createKinesisClient } from '../../lib/streams/aws-kinesis.ts';
import { failure } from '../support/lease-scene.ts';
import { numbers, openService, type Service, until } from './support/service.ts';
import { createStage, eventsOf, failoverMs } from './support/stage.ts';

const firstShard = 'shardId-000000000000';
const fanOut = { reading: 'fan-out' } as const;

describe('scenario 25: enhanced fan-out, in memory', function () {
  this.timeout(20_000);

  it('subscriptions of 5 min end and break, a worker dies: no gap, and nothing twice but what was not saved', async () => {
    const stage = createStage(4);
    const a = stage.start('a', { options: fanOut });
    const b = stage.start('b', { options: fanOut });
    for (let minute = 0; minute < 12; minute += 1) {
      await stage.putEach(3, `m${minute}`);
      await stage.clock.advance(60_000);
      if (minute % 4 === 1) stage.kinesis.cutSubscriptions();
    }
    expect([stage.audit.undelivered(), stage.audit.repeated()]).to.deep.equal([0, []]);
    expect(eventsOf(a, 'source-fell-back')).to.deep.equal([]);
    a.freeze();
    await stage.putEach(3, 'last');
    // The dead worker's subscriptions are still open at the service: they are taken over.
    await stage.until(
      'the other reads all',
      () => stage.audit.undelivered() === 0,
      failoverMs + 5_000 + 5_250,
    );
    expect(eventsOf(b, 'source-fell-back')).to.deep.equal([]);
    await stage.end();
  });
});

describe('scenario 25: enhanced fan-out, against the laptop’s Kinesis', function () {
  this.timeout(30_000);
  let service: Service;
  afterEach(() => service.close());

  it('subscriptions end and connections are cut while records come: no gap, nothing twice', async () => {
    service = await openService(1, { subscriptionMs: 700 });
    const worker = service.start(fanOut);
    for (let round = 0; round < 25; round += 1) {
      await service.put(2);
      await systemClock.sleep(100);
      if (round === 12)
        service.server.faults.add({ verb: 'cut-connection', operation: 'SubscribeToShard', count: 1 });
    }
    await until('all is delivered', () => service.seen.length >= 50, 15_000);
    expect(service.seen).to.deep.equal(numbers(50));
    expect(worker.count('read-failed'), 'the cut').to.be.at.least(1);
    expect(worker.count('source-fell-back')).to.equal(0);
  });

  it('another subscription that is younger than 5 s is waited for, then taken over, and ends', async () => {
    service = await openService(1);
    const arn = await service.kinesis.registerConsumer(service.stream, 'tests');
    const pages = service.kinesis
      .subscribe(arn, firstShard, { type: 'TRIM_HORIZON' }, new AbortController().signal)
      [Symbol.asyncIterator]();
    await service.put(1);
    while (((await pages.next()).value?.records.length ?? 0) === 0);
    const openedAtMs = systemClock.monotonic();
    const old = failure(
      (async () => {
        for (;;) if ((await pages.next()).done) return;
      })(),
    );
    const worker = service.start(fanOut);
    await service.put(9);
    await until('all is delivered', () => service.seen.length >= 10, 15_000);
    expect(systemClock.monotonic() - openedAtMs).to.be.at.least(4_500);
    expect(service.seen).to.deep.equal(numbers(10));
    expect(await old).to.include({ code: 'resource-in-use' });
    expect(worker.count('source-fell-back')).to.equal(0);
  });

  it('the consumer is deregistered while it reads: it is registered anew; no gap, nothing twice', async () => {
    service = await openService(1);
    const worker = service.start(fanOut);
    await service.put(10);
    await until('the first are delivered', () => service.seen.length === 10, 10_000);
    const client = createKinesisClient({ region: 'eu-central-1', endpoint: service.server.url });
    const ConsumerARN = await service.kinesis.registerConsumer(service.stream, 'tests');
    await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN }));
    client.destroy();
    await service.put(10);
    await until('all is delivered', () => service.seen.length >= 20, 15_000);
    await service.put(10);
    await until('all is delivered', () => service.seen.length >= 30, 15_000);
    expect(service.seen).to.deep.equal(numbers(30));
    expect(worker.count('source-fell-back')).to.equal(0);
  });
});
