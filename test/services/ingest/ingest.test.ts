import { expect } from 'chai';
import { encodeJson } from '../../../lib/event/codec-json.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { type HttpServer, startHttp } from '../../../lib/runtime/http.ts';
import { silentLog } from '../../../lib/runtime/log.ts';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';
import type { IdempotencyItem, IdempotencyTable } from '../../../lib/stores/idempotency.ts';
import { createMemoryKinesis, type MemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { createStampedWriter } from '../../../lib/streams/stamped-writer.ts';
import { ingestRoutes } from '../../../services/ingest/handler.ts';
import { fingerprintOf } from '../../../services/ingest/idempotency.ts';

/** What the tests look at in an answer, whichever it is. */
interface Answer {
  readonly code?: string;
  readonly errors?: readonly { readonly pointer: string }[];
  readonly items?: readonly {
    readonly status: number;
    readonly errors?: readonly { readonly pointer: string }[];
  }[];
}

const cityEvent = (id: string) => ({
  event_id: id,
  timestamp: '2026-11-20T08:00:00Z',
  city: 'NYC',
  event_type: 'weather',
  severity: 'high',
});

function memoryTable(): IdempotencyTable {
  const items = new Map<string, IdempotencyItem>();
  return {
    claim: async (key, item, nowMs) => {
      const found = items.get(key);
      if (found && found.untilMs >= nowMs) return found;
      items.set(key, item);
      return undefined;
    },
    put: async (key, item) => void items.set(key, item),
    remove: async (key, fingerprint) => {
      if (items.get(key)?.fingerprint === fingerprint) items.delete(key);
    },
  };
}

describe('ingest', () => {
  const clock = createManualClock({ startMs: Date.parse('2026-11-20T08:00:00Z') });
  let kinesis: MemoryKinesis;
  let table: IdempotencyTable;
  let http: HttpServer;

  beforeEach(async () => {
    kinesis = createMemoryKinesis({ clock });
    kinesis.createStream('inbound', 1);
    table = memoryTable();
    const writer = createStampedWriter({
      kinesis,
      stream: 'inbound',
      source: 'ingest/test',
      clock: systemClock,
      random: () => 0.5,
      limits: { backoff: { firstMs: 1, maxMs: 1, tries: 1 } },
    });
    const routes = ingestRoutes({
      stream: 'inbound',
      writer,
      idempotency: table,
      clock,
      maxEventBytes: 2_048,
      encode: encodeJson,
      onEvents: () => {},
    });
    http = await startHttp({ host: '127.0.0.1', port: 0, routes, log: silentLog });
  });

  afterEach(() => http.close());

  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${http.port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
  };
  const shard = 'shardId-000000000000';

  it('answers an accepted event with the place where Kinesis put it', async () => {
    const { status, body } = await post('/v1/events', cityEvent('a'));
    const [record] = kinesis.recordsOf('inbound', shard);
    expect(status).to.equal(202);
    expect(body).to.deep.equal({
      event_id: 'a',
      stream: 'inbound',
      shard,
      sequence_number: record?.sequenceNumber,
    });
    expect(record?.partitionKey).to.equal('NYC');
  });

  it('refuses a bad event with pointers to what is wrong, and puts nothing on the stream', async () => {
    const { status, body } = await post('/v1/events', { ...cityEvent('a'), timestamp: 'yesterday' });
    expect(status).to.equal(422);
    expect(body.code).to.equal('invalid-event');
    expect(body.errors?.map((error) => error.pointer)).to.deep.equal(['#/timestamp']);
    expect(kinesis.recordsOf('inbound', shard)).to.have.length(0);
  });

  it('keeps the order of a batch and answers each item on its own', async () => {
    const { status, body } = await post('/v1/events:batch', {
      events: [cityEvent('a'), { nobody: 'knows' }, cityEvent('b')],
    });
    expect(status).to.equal(207);
    expect(body.items?.map((item) => item.status)).to.deep.equal([202, 422, 202]);
    expect(body.items?.[1]?.errors?.[0]?.pointer).to.match(/^#\/events\/1/);
    const ids = kinesis.recordsOf('inbound', shard).map((r) => JSON.parse(Buffer.from(r.data).toString()).id);
    expect(ids).to.deep.equal(['a', 'b']);
  });

  it('refuses an event that is too large for the stream', async () => {
    const { status, body } = await post('/v1/events', { ...cityEvent('a'), note: 'x'.repeat(3_000) });
    expect([status, body.code]).to.deep.equal([413, 'event-too-large']);
  });

  it('refuses a batch of more than 500 events as a whole', async () => {
    const events = Array.from({ length: 501 }, (_, n) => cityEvent(`${n}`));
    expect((await post('/v1/events:batch', events)).status).to.equal(413);
    expect(kinesis.recordsOf('inbound', shard)).to.have.length(0);
  });

  it('names what is wrong with a body that is no JSON, or no known type', async () => {
    expect((await post('/v1/events', '{"a":')).body.code).to.equal('bad-json');
    expect((await post('/v1/events', 'a,b', { 'content-type': 'text/csv' })).body.code).to.equal('not-json');
  });

  it('gives no receipt while the stream does not take the event', async () => {
    kinesis.faults.add({ on: 'put', fault: { type: 'throttle' } });
    const { status, body, headers } = await post('/v1/events', cityEvent('a'));
    expect([status, body.code, headers.get('retry-after')]).to.deep.equal([503, 'stream-unavailable', '1']);
  });

  describe('with an Idempotency-Key', () => {
    const key = { 'idempotency-key': 'k1' };

    it('answers the same request twice with one and the same answer, and puts the event once', async () => {
      const first = await post('/v1/events', cityEvent('a'), key);
      const second = await post('/v1/events', cityEvent('a'), key);
      expect(second.body).to.deep.equal(first.body);
      expect(second.headers.get('idempotency-replayed')).to.equal('true');
      expect(kinesis.recordsOf('inbound', shard)).to.have.length(1);
    });

    it('refuses another body under the same key', async () => {
      await post('/v1/events', cityEvent('a'), key);
      expect((await post('/v1/events', cityEvent('b'), key)).body.code).to.equal('key-reused');
    });

    it('asks to wait while the first request is in flight, and takes over when its process has died', async () => {
      const fingerprint = fingerprintOf('/v1/events', Buffer.from(JSON.stringify(cityEvent('a'))));
      await table.claim('k1', { fingerprint, untilMs: clock.now() + 5_000 }, clock.now());
      const busy = await post('/v1/events', cityEvent('a'), key);
      expect([busy.status, busy.headers.get('retry-after')]).to.deep.equal([409, '5']);
      await clock.advance(5_001);
      expect((await post('/v1/events', cityEvent('a'), key)).status).to.equal(202);
    });

    it('gives the key free when the stream did not take the event, so that a retry works', async () => {
      kinesis.faults.add({ on: 'put', fault: { type: 'throttle' }, times: 1 });
      expect((await post('/v1/events', cityEvent('a'), key)).status).to.equal(503);
      expect((await post('/v1/events', cityEvent('a'), key)).status).to.equal(202);
    });
  });
});
