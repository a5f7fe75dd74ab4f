import { expect } from 'chai';
import type { Kinesis, ReadFrom, SubscriptionPage } from '../../../lib/streams/kinesis.ts';
import { firstShardId, entry, numbered, range, texts, codeOf, type Suite } from './support.ts';

export const fanOut: Suite = (under, rule) => {
  rule(
    'registers a consumer once, whoever asks',
    async () => {
      const { kinesis, createStream } = under();
      const stream = await createStream(1);
      const first = await kinesis.registerConsumer(stream, 'reader');
      expect(await kinesis.registerConsumer(stream, 'reader')).to.equal(first);
    },
    'fan-out',
  );

  rule(
    'pushes what is there and what comes, until the signal aborts',
    async () => {
      const { kinesis, createStream } = under();
      const stream = await createStream(1);
      await kinesis.put(stream, numbered(3));
      const consumer = await kinesis.registerConsumer(stream, 'reader');
      const stop = new AbortController();
      const seen: string[] = [];
      for await (const page of kinesis.subscribe(
        consumer,
        firstShardId,
        { type: 'TRIM_HORIZON' },
        stop.signal,
      )) {
        seen.push(...texts(page.records));
        if (seen.length === 3) await kinesis.put(stream, [entry('a', 'live')]);
        if (seen.includes('live')) stop.abort();
      }
      expect(seen).to.deep.equal([...range(0, 3), 'live']);
    },
    'fan-out',
  );

  rule(
    'goes on AFTER the continuation number without a gap or a repeat',
    async () => {
      const { kinesis, createStream } = under();
      const stream = await createStream(1);
      await kinesis.put(stream, numbered(2));
      const first = await firstPage(kinesis, stream, 'one', { type: 'TRIM_HORIZON' });
      await kinesis.put(stream, [entry('a', 'next')]);
      const sequenceNumber = first.continuationSequenceNumber!;
      const second = await firstPage(kinesis, stream, 'two', {
        type: 'AFTER_SEQUENCE_NUMBER',
        sequenceNumber,
      });
      expect([texts(first.records), texts(second.records)]).to.deep.equal([range(0, 2), ['next']]);
    },
    'fan-out',
  );

  rule(
    'says resource-in-use for a second subscription within five seconds',
    async () => {
      const { kinesis, createStream } = under();
      const stream = await createStream(1);
      await kinesis.put(stream, numbered(1));
      const consumer = await kinesis.registerConsumer(stream, 'reader');
      const stop = new AbortController();
      const subscribe = () =>
        kinesis
          .subscribe(consumer, firstShardId, { type: 'TRIM_HORIZON' }, stop.signal)
          [Symbol.asyncIterator]();
      const first = subscribe();
      await first.next();
      expect(await codeOf(subscribe().next())).to.equal('resource-in-use');
      stop.abort();
      expect((await first.next()).done).to.equal(true);
    },
    'fan-out',
  );

  rule(
    'ends the subscription of a closed shard with its children and no continuation',
    async () => {
      const { kinesis, createStream, split } = under();
      const stream = await createStream(1);
      await kinesis.put(stream, numbered(2));
      await split(stream, firstShardId);
      const consumer = await kinesis.registerConsumer(stream, 'reader');
      const pages: SubscriptionPage[] = [];
      const signal = new AbortController().signal;
      for await (const page of kinesis.subscribe(consumer, firstShardId, { type: 'TRIM_HORIZON' }, signal)) {
        pages.push(page);
      }
      expect(texts(pages.flatMap((page) => page.records))).to.deep.equal(range(0, 2));
      expect(pages.at(-1)!.childShards).to.have.length(2);
      expect(pages.at(-1)).to.not.have.property('continuationSequenceNumber');
    },
    'fan-out',
  );
};

async function firstPage(
  kinesis: Kinesis,
  stream: string,
  name: string,
  from: ReadFrom,
): Promise<SubscriptionPage> {
  const consumer = await kinesis.registerConsumer(stream, name);
  for await (const page of kinesis.subscribe(consumer, firstShardId, from, new AbortController().signal)) {
    if (page.records.length > 0) return page;
  }
  throw new Error('the subscription ended without a record');
}
