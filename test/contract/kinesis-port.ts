import { expect } from 'chai';
import type { KinesisError } from '../../lib/streams/kinesis-error.ts';
import type { Kinesis, PutEntry, RawRecord, ReadFrom, SubscriptionPage } from '../../lib/streams/kinesis.ts';
import { compareSequenceNumbers } from '../../lib/streams/position.ts';
import { holesIn } from '../../lib/streams/shard-tree.ts';

/** An adapter of the Kinesis port, with what the suite needs to do to its streams. */
export interface KinesisUnderTest {
  readonly kinesis: Kinesis;
  /** A fresh stream that is ready; returns its name. */
  readonly createStream: (shards: number) => Promise<string>;
  /** In the middle of the range; returns when the stream is ready again. */
  readonly split: (stream: string, shardId: string) => Promise<void>;
  readonly merge: (stream: string, shardId: string, adjacentShardId: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Why the adapter cannot be tried here. */
export interface Skip {
  readonly skip: string;
}

/** What someone else's stand-in is known not to do; the cases are skipped by name, for everyone to see. */
export type Lack =
  | 'fan-out'
  | 'child-shards'
  | 'shard-filter'
  | 'explicit-hash-key'
  | 'bad-position'
  | 'resharding';

type Suite = (under: () => KinesisUnderTest, rule: Rule) => void;
type Rule = (sentence: string, test: () => Promise<void>, needs?: Lack) => void;

/** The rules that every adapter of the Kinesis port keeps. */
export function kinesisPortContract(
  name: string,
  start: () => Promise<KinesisUnderTest | Skip>,
  lacks: readonly Lack[] = [],
): void {
  describe(`Kinesis port: ${name}`, () => {
    let under: KinesisUnderTest | undefined;
    before(async function () {
      const started = await start();
      if (!('skip' in started)) under = started;
      else {
        process.stdout.write(`    skipped: ${started.skip}\n`);
        this.skip();
      }
    });
    after(async () => under?.stop());
    const rule: Rule = (sentence, test, needs) => {
      if (needs && lacks.includes(needs)) it.skip(`${sentence} (${name} lacks ${needs})`, test);
      else it(sentence, test);
    };
    for (const suite of [streams, puts, reads, shardEnds, fanOut]) suite(() => under!, rule);
  });
}

const streams: Suite = (under, rule) => {
  rule('describes a stream: name, ARN, account, retention, open shards', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(2);
    const description = await kinesis.describe(stream);
    expect(description).to.include({ name: stream, openShards: 2, status: 'ACTIVE', retentionHours: 24 });
    expect(description.arn).to.match(new RegExp(`:${description.accountId}:stream/${stream}$`));
    expect(description.maxRecordBytes).to.be.at.least(1_048_576);
  });

  rule('says stream-not-found for a stream that is not there', async () => {
    const { kinesis } = under();
    expect(await codeOf(kinesis.describe('no-such-stream'))).to.equal('stream-not-found');
    expect(await codeOf(kinesis.put('no-such-stream', [entry('a', 'x')]))).to.equal('stream-not-found');
  });

  rule('lists shards that cover every hash key once', async () => {
    const { kinesis, createStream } = under();
    const shards = await kinesis.listShards(await createStream(3));
    expect(shards).to.have.length(3);
    expect(holesIn(shards)).to.deep.equal([]);
    const widths = shards.map((shard) => BigInt(shard.endingHashKey) - BigInt(shard.startingHashKey) + 1n);
    expect(widths.reduce((sum, width) => sum + width, 0n)).to.equal(1n << 128n);
  });

  rule(
    'filters shards: AT_LATEST the open ones, AFTER_SHARD_ID the later ones, FROM_TRIM_HORIZON all',
    async () => {
      const { kinesis, createStream, split } = under();
      const stream = await createStream(1);
      const [parent] = await kinesis.listShards(stream);
      await split(stream, parent!.shardId);
      const all = await kinesis.listShards(stream, { type: 'FROM_TRIM_HORIZON' });
      expect(all).to.have.length(3);
      const open = await kinesis.listShards(stream, { type: 'AT_LATEST' });
      expect(open.map((shard) => shard.parents)).to.deep.equal([[parent!.shardId], [parent!.shardId]]);
      const later = await kinesis.listShards(stream, { type: 'AFTER_SHARD_ID', shardId: parent!.shardId });
      expect(later.map((shard) => shard.shardId)).to.deep.equal(open.map((shard) => shard.shardId));
    },
    'shard-filter',
  );

  rule('rejects with the reason of an aborted signal', async () => {
    const { kinesis, createStream } = under();
    const reason = new Error('no longer wanted');
    const call = kinesis.listShards(await createStream(1), undefined, AbortSignal.abort(reason));
    expect(await call.catch((error: unknown) => error)).to.equal(reason);
  });
};

const puts: Suite = (under, rule) => {
  rule('answers a put per entry, in order, with rising sequence numbers per shard', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    const outcomes = await kinesis.put(stream, numbered(20));
    const sequences = outcomes.map((outcome) => (outcome.ok ? outcome.sequenceNumber : 'refused'));
    expect([...sequences].sort(compareSequenceNumbers)).to.deep.equal(sequences);
    expect(new Set(sequences).size).to.equal(20);
    const records = await readAll(kinesis, stream, firstShardId);
    expect(records.map((record) => record.sequenceNumber)).to.deep.equal(sequences);
  });

  rule(
    'sends a record to the shard of its hash key; an explicit one wins over the partition key',
    async () => {
      const { kinesis, createStream } = under();
      const stream = await createStream(4);
      const shards = await kinesis.listShards(stream);
      const outcomes = await kinesis.put(
        stream,
        shards.map((shard) => ({ ...entry('same key', 'x'), explicitHashKey: shard.endingHashKey })),
      );
      const taken = outcomes.map((outcome) => outcome.ok && outcome.shardId);
      expect(taken).to.deep.equal(shards.map((shard) => shard.shardId));
    },
    'explicit-hash-key',
  );

  rule('keeps bytes, partition keys and an arrival time', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await kinesis.put(stream, [{ partitionKey: 'Zürich ✓', data }]);
    const [record] = await readAll(kinesis, stream, firstShardId);
    expect([...record!.data]).to.deep.equal([...data]);
    expect(record!.partitionKey).to.equal('Zürich ✓');
    expect(record!.arrivedAtMs).to.be.greaterThan(1_500_000_000_000);
  });

  rule('refuses a call of more than 500 records or with a record that is too large', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    expect(await codeOf(kinesis.put(stream, numbered(501)))).to.equal('invalid-argument');
    const large = [{ partitionKey: 'a', data: new Uint8Array(11 * 1_048_576) }];
    expect(await codeOf(kinesis.put(stream, large))).to.equal('invalid-argument');
  });
};

const reads: Suite = (under, rule) => {
  rule('reads from TRIM_HORIZON in pages of at most the limit', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    await kinesis.put(stream, numbered(25));
    const iterator = await kinesis.iterator(stream, firstShardId, { type: 'TRIM_HORIZON' });
    const first = await kinesis.read(stream, iterator, 10);
    expect(texts(first.records)).to.deep.equal(range(0, 10));
    const rest = await readOn(kinesis, stream, first.nextIterator!);
    expect(texts(rest)).to.deep.equal(range(10, 25));
  });

  rule('tells how far behind the tip a page ends: 0 at the tip', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    await kinesis.put(stream, numbered(2));
    const iterator = await kinesis.iterator(stream, firstShardId, { type: 'TRIM_HORIZON' });
    const first = await kinesis.read(stream, iterator, 1);
    const second = await kinesis.read(stream, first.nextIterator!, 1);
    expect(second.millisBehindLatest).to.equal(0);
  });

  rule('LATEST gives only what is put afterwards', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    await kinesis.put(stream, [entry('a', 'before')]);
    const iterator = await kinesis.iterator(stream, firstShardId, { type: 'LATEST' });
    await kinesis.put(stream, [entry('a', 'after')]);
    expect(texts(await readOn(kinesis, stream, iterator))).to.deep.equal(['after']);
  });

  rule('AT a sequence number includes its record, AFTER does not', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    const [, second] = await kinesis.put(stream, numbered(3));
    const sequenceNumber = second!.ok ? second!.sequenceNumber : '';
    const at = await readAll(kinesis, stream, firstShardId, { type: 'AT_SEQUENCE_NUMBER', sequenceNumber });
    const after = await readAll(kinesis, stream, firstShardId, {
      type: 'AFTER_SEQUENCE_NUMBER',
      sequenceNumber,
    });
    expect([texts(at), texts(after)]).to.deep.equal([['1', '2'], ['2']]);
  });

  rule('AT_TIMESTAMP begins with the first record that arrived then or later', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    await kinesis.put(stream, numbered(3));
    const [first] = await readAll(kinesis, stream, firstShardId);
    const from: ReadFrom = { type: 'AT_TIMESTAMP', timestampMs: first!.arrivedAtMs };
    expect(texts(await readAll(kinesis, stream, firstShardId, from))).to.deep.equal(range(0, 3));
  });

  rule('says shard-not-found for a shard that is not there', async () => {
    const { kinesis, createStream } = under();
    const stream = await createStream(1);
    const call = kinesis.iterator(stream, 'shardId-000000000099', { type: 'TRIM_HORIZON' });
    expect(await codeOf(call)).to.equal('shard-not-found');
  });

  rule(
    'says invalid-position for a sequence number that is not one of the shard',
    async () => {
      const { kinesis, createStream } = under();
      const stream = await createStream(1);
      const from: ReadFrom = { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: '9'.repeat(57) };
      expect(await codeOf(kinesis.iterator(stream, firstShardId, from))).to.equal('invalid-position');
    },
    'bad-position',
  );
};

const shardEnds: Suite = (under, rule) => {
  rule(
    'ends a split shard after its last record, naming both children and their ranges',
    async () => {
      const { kinesis, createStream, split } = under();
      const stream = await createStream(1);
      await kinesis.put(stream, numbered(3));
      await split(stream, firstShardId);
      const { records, end } = await readToEnd(kinesis, stream, firstShardId);
      expect(texts(records)).to.deep.equal(range(0, 3));
      expect(end.childShards).to.have.length(2);
      expect(end.childShards.map((child) => child.parents)).to.deep.equal([[firstShardId], [firstShardId]]);
      expect(holesIn(end.childShards)).to.deep.equal([]);
    },
    'child-shards',
  );

  rule(
    'ends both parents of a merge with the same child, which names both',
    async () => {
      const { kinesis, createStream, merge } = under();
      const stream = await createStream(2);
      const [a, b] = (await kinesis.listShards(stream)).map((shard) => shard.shardId);
      await merge(stream, a!, b!);
      const ends = [await readToEnd(kinesis, stream, a!), await readToEnd(kinesis, stream, b!)];
      const children = ends.map(({ end }) => end.childShards.map((child) => child.shardId));
      expect(children[0]).to.have.length(1);
      expect(children[1]).to.deep.equal(children[0]);
      expect([...ends[0]!.end.childShards[0]!.parents].sort()).to.deep.equal([a, b]);
    },
    'child-shards',
  );

  rule(
    'puts what comes after a split into the children, with higher sequence numbers',
    async () => {
      const { kinesis, createStream, split } = under();
      const stream = await createStream(1);
      const [before] = await kinesis.put(stream, [entry('k', 'before')]);
      await split(stream, firstShardId);
      const [after] = await kinesis.put(stream, [entry('k', 'after')]);
      expect(after!.ok && after!.shardId).to.not.equal(firstShardId);
      const inOrder = compareSequenceNumbers(sequenceOf(before!), sequenceOf(after!)) < 0;
      expect(inOrder).to.equal(true);
    },
    'resharding',
  );
};

const fanOut: Suite = (under, rule) => {
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

const firstShardId = 'shardId-000000000000';
/** Reads of a tip that stay empty; more than any adapter needs to come to it. */
const emptyReadsMax = 5;

function entry(partitionKey: string, text: string): PutEntry {
  return { partitionKey, data: Buffer.from(text) };
}

function numbered(count: number): readonly PutEntry[] {
  return range(0, count).map((text) => entry(`key-${text}`, text));
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => String(from + index));
}

function texts(records: readonly RawRecord[]): string[] {
  return records.map((record) => Buffer.from(record.data).toString());
}

function sequenceOf(outcome: { readonly ok: boolean; readonly sequenceNumber?: string }): string {
  return outcome.sequenceNumber ?? '';
}

async function readAll(
  kinesis: Kinesis,
  stream: string,
  shardId: string,
  from: ReadFrom = { type: 'TRIM_HORIZON' },
): Promise<readonly RawRecord[]> {
  return readOn(kinesis, stream, await kinesis.iterator(stream, shardId, from));
}

async function readOn(kinesis: Kinesis, stream: string, iterator: string): Promise<readonly RawRecord[]> {
  const records: RawRecord[] = [];
  let next: string | undefined = iterator;
  for (let empty = 0; next !== undefined && empty < emptyReadsMax; ) {
    const page = await kinesis.read(stream, next, 1_000);
    records.push(...page.records);
    empty = page.records.length > 0 ? 0 : empty + 1;
    next = page.nextIterator;
  }
  return records;
}

async function readToEnd(kinesis: Kinesis, stream: string, shardId: string) {
  const records: RawRecord[] = [];
  let next: string | undefined = await kinesis.iterator(stream, shardId, { type: 'TRIM_HORIZON' });
  for (let reads = 0; reads < 20; reads += 1) {
    const page = await kinesis.read(stream, next, 1_000);
    records.push(...page.records);
    if (page.nextIterator === undefined) return { records, end: page };
    next = page.nextIterator;
  }
  throw new Error(`${shardId} did not end`);
}

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

async function codeOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error('did not fail'),
    (thrown: unknown) => thrown,
  );
  return (error as KinesisError).code;
}
