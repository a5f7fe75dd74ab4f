import { expect } from 'chai';
import { systemClock } from '../../lib/runtime/clock.ts';
import { aggregate } from '../../lib/streams/kpl.ts';
import { failure } from '../support/lease-scene.ts';
import { shardId, texts } from './support/stage.ts';
import { numbers, openService, type Service, until } from './support/service.ts';

/** The claims that are about the service, through the AWS adapter; the same in memory are in reading.test.ts. */
describe('against the laptop’s Kinesis', function () {
  this.timeout(30_000);
  let service: Service;
  afterEach(() => service.close());

  it('scenario 17: a shard ends where the service says so, with its children; one that is not there has a code of its own', async () => {
    service = await openService(1);
    const worker = service.start({});
    await service.put(10);
    await until('the parent is read', () => service.seen.length === 10, 10_000);
    await service.split(shardId(0));
    await until('the children are begun', () => worker.count('shard-started') === 3, 10_000);
    const finished = worker.events.filter((event) => event.type === 'lease-finished');
    expect(finished).to.deep.equal([
      { type: 'lease-finished', leaseKey: shardId(0), children: [shardId(1), shardId(2)] },
    ]);
    const gone = service.kinesis.iterator(service.stream, shardId(9), { type: 'TRIM_HORIZON' });
    expect(await failure(gone)).to.include({ code: 'shard-not-found' });
    await service.put(10);
    await until('what was put on a child is read', () => service.seen.length >= 20, 10_000);
    expect(service.seen).to.deep.equal(numbers(20));
  });

  it('scenario 18: iterators expire while a handler is slow: reading goes on after the last record', async () => {
    service = await openService(1);
    const worker = service.start({ recordsPerReadMax: 2, prefetchPagesMax: 1, readMs: 10 }, () =>
      systemClock.sleep(30),
    );
    await service.put(10);
    for (let round = 0; round < 3; round += 1) {
      service.server.faults.add({ verb: 'expire-iterators', operation: 'GetRecords', count: 1 });
      await service.put(10);
    }
    await until('all is delivered', () => service.seen.length >= 40, 15_000);
    expect(service.seen).to.deep.equal(numbers(40));
    expect(worker.count('iterator-expired')).to.equal(3);
    expect(worker.count('lease-lost')).to.equal(0);
  });

  it('scenario 19: four other applications use up the reads of both shards: all is read all the same, no lease lost', async () => {
    service = await openService(2, { limits: 'service' });
    const stop = new AbortController();
    let refused = 0;
    const others = Array.from({ length: 4 }, async (_, n) => {
      const iterator = await service.kinesis.iterator(service.stream, shardId(n % 2), { type: 'LATEST' });
      while (!stop.signal.aborted) {
        const error = await failure(service.kinesis.read(service.stream, iterator, 1));
        if (error !== undefined) refused += 1;
        await systemClock.sleep(250, stop.signal);
      }
    });
    const worker = service.start({ recordsPerReadMax: 2, readMs: 200 });
    for (let shard = 0; shard < 2; shard += 1) await service.put(15, shard);
    await until('all is delivered', () => service.seen.length >= 30, 25_000);
    stop.abort();
    await Promise.all(others);
    expect(new Set(service.seen)).to.deep.equal(new Set(numbers(30)));
    expect(service.seen).to.have.length(30);
    expect(refused).to.be.greaterThan(0);
    expect(worker.count('lease-lost')).to.equal(0);
  });

  it('scenario 24: a worker that stops inside an aggregate is followed by one that goes on behind its last user record', async () => {
    service = await openService(1);
    const users = texts(100, 'user').map((text) => ({
      partitionKey: text,
      data: new TextEncoder().encode(text),
    }));
    const data = aggregate(users);
    await service.kinesis.put(service.stream, [{ partitionKey: 'aggregate', explicitHashKey: '0', data }]);
    let go = (): void => {};
    const held = new Promise<void>((resolve) => void (go = resolve));
    const first = service.start({ batchRecordsMax: 57 }, () => held);
    await until('the first 57 are in work', () => first.count('shard-started') === 1, 10_000);
    await systemClock.sleep(200);
    const stopped = first.stop();
    await until('it drains', () => first.count('worker-stopping') === 1, 10_000);
    await systemClock.sleep(200);
    go();
    await stopped;
    expect(service.seen).to.deep.equal(texts(57, 'user'));
    service.start({});
    await until('all is delivered', () => service.seen.length >= 100, 10_000);
    expect(service.seen).to.deep.equal(texts(100, 'user'));
  });
});
