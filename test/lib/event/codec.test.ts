import { deflateSync } from 'node:zlib';
import avro from 'avsc';
import { expect } from 'chai';
import fc from 'fast-check';
import { createDecoder, createEncoder, type Encoding } from '../../../lib/event/codec.ts';
import type { Event } from '../../../lib/event/event.ts';
import { eventSchema, eventSchemaName, eventSchemaText } from '../../../lib/event/event-schema.ts';
import { createMemoryRegistry, type SchemaRegistry } from '../../../lib/event/schemas.ts';
import { PlatformError } from '../../../lib/runtime/errors.ts';

const event: Event = {
  id: 'e1',
  source: '/city-events',
  type: 'traffic',
  time: '2026-11-20T09:30:00.123456Z',
  timeMs: Date.UTC(2026, 10, 20, 9, 30, 0, 123),
  subject: 'Chicago',
  dataschema: 'glue:city-event',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  attributes: { kind: 'city', severity: 'high' },
  data: { road: 'I-90 – Straße', lanes: [1, 2], open: null },
};

async function failure(work: () => unknown): Promise<PlatformError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof PlatformError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

for (const encoding of ['json', 'avro'] as const satisfies readonly Encoding[]) {
  describe(`the ${encoding} codec`, () => {
    const registry = createMemoryRegistry();

    it('gives back the event that went in', async () => {
      const encode = await createEncoder(encoding, registry);
      const decode = createDecoder(registry);
      expect(await decode(encode(event))).to.deep.equal(event);
    });

    it('puts the stamp in, and in place of an older one', async () => {
      const encode = await createEncoder(encoding, registry);
      const decode = createDecoder(registry);
      const stamped = await decode(encode(event, 'ingest-1;a;9'));
      expect(stamped.attributes).to.deep.equal({ ...event.attributes, weirstamp: 'ingest-1;a;9' });
      expect((await decode(encode(stamped, 'in/shard-0;b;a'))).attributes['weirstamp']).to.equal(
        'in/shard-0;b;a',
      );
      expect((await decode(encode(stamped))).attributes).to.deep.equal(event.attributes);
    });

    it('carries any JSON data and any text', async () => {
      const encode = await createEncoder(encoding, registry);
      const decode = createDecoder(registry);
      const text = fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
        .filter((s) => !/[\p{Cc}\p{Cs}]/u.test(s));
      await fc.assert(
        fc.asyncProperty(text, fc.jsonValue(), async (subject, data) => {
          const given = { ...event, subject, data: JSON.parse(JSON.stringify(data)) as unknown };
          expect(await decode(encode(given, 'a;b;c'))).to.deep.include({ subject, data: given.data });
        }),
      );
    });

    it('refuses every cut of a record as undecodable', async () => {
      const bytes = (await createEncoder(encoding, registry))(event);
      const decode = createDecoder(registry);
      for (let length = 0; length < bytes.length; length += 1) {
        const error = await failure(() => decode(bytes.subarray(0, length)));
        expect(error.code, `${length} bytes`).to.equal('undecodable');
      }
    });

    it('answers every flipped byte with an event or with undecodable, and never hangs', async () => {
      const bytes = (await createEncoder(encoding, registry))(event);
      const decode = createDecoder(registry);
      for (let at = encoding === 'avro' ? 18 : 1; at < bytes.length; at += 1) {
        for (const mask of [0x01, 0x80, 0xff]) {
          const broken = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ mask : byte));
          try {
            await decode(broken);
          } catch (error) {
            expect(error).to.include({ code: 'undecodable' });
          }
        }
      }
    });
  });
}

describe('createDecoder', () => {
  it('takes records of the native families, as other producers put them', async () => {
    const decode = createDecoder(createMemoryRegistry());
    const named = bytesOf({ event_uuid: 'n1', event_name: 'account:created', created_at: 1_700_000_000 });
    expect(await decode(named)).to.include({ id: 'n1', type: 'account:created' });
  });

  const undecodable: readonly (readonly [string, Uint8Array, string])[] = [
    ['an empty record', new Uint8Array(), 'it is empty'],
    ['other bytes', Buffer.from('hello'), 'begins with 0x68656c6c'],
    ['broken JSON', Buffer.from('{"id":'), 'not valid JSON'],
    ['broken UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'not valid UTF-8'],
    ['an unknown shape', bytesOf({ a: 1 }), 'none of the known shapes'],
    ['a wrong field', bytesOf({ event_uuid: 'n', event_name: 'a', created_at: 'x' }), '/created_at'],
    [
      'an unknown schema version',
      Buffer.concat([Buffer.from([3, 0]), Buffer.alloc(16, 7), Buffer.from('x')]),
      'has no version 07070707-0707',
    ],
  ];
  for (const [what, bytes, message] of undecodable) {
    it(`refuses ${what} and says why`, async () => {
      const error = await failure(() => createDecoder(createMemoryRegistry())(bytes));
      expect(error.code).to.equal('undecodable');
      expect(error.retryable).to.equal(false);
      expect(error.message).to.contain(message);
    });
  }

  it('passes on that the registry could not be asked, so that no record is blamed for it', async () => {
    const down = new PlatformError('schema-registry-unavailable', 'throttled', { retryable: true });
    const registry: SchemaRegistry = {
      idOf: () => Promise.reject(down),
      definitionOf: () => Promise.reject(down),
    };
    const encode = await createEncoder('avro', createMemoryRegistry());
    expect(await failure(() => createDecoder(registry)(encode(event)))).to.equal(down);
  });

  it('asks for a version once, however many records wait for it, and is sync from then on', async () => {
    const memory = createMemoryRegistry();
    let asked = 0;
    const registry: SchemaRegistry = {
      ...memory,
      definitionOf: (id) => {
        asked += 1;
        return memory.definitionOf(id);
      },
    };
    const bytes = (await createEncoder('avro', registry))(event);
    const decode = createDecoder(registry);
    const batch = [decode(bytes), decode(bytes), decode(bytes)];
    expect(batch[0]).to.be.instanceOf(Promise);
    expect(await Promise.all(batch.map(async (decoded) => decoded))).to.deep.equal([event, event, event]);
    expect(decode(bytes)).to.deep.equal(event);
    expect(asked).to.equal(1);
  });
});

describe('an encoder', () => {
  it('writes an event without data', async () => {
    for (const encoding of ['json', 'avro'] as const) {
      const registry = createMemoryRegistry();
      const bytes = (await createEncoder(encoding, registry))({ ...event, data: undefined });
      expect(await createDecoder(registry)(bytes)).to.have.property('data', null);
    }
  });
});

describe('the header of the schema registry', () => {
  const id = '00112233-4455-6677-8899-aabbccddeeff';

  async function frame(
    schema: object,
    value: object,
    zlib: boolean,
  ): Promise<{ bytes: Uint8Array; registry: SchemaRegistry }> {
    const registry = createMemoryRegistry(() => id);
    await registry.idOf(eventSchemaName, JSON.stringify(schema));
    const body = avro.Type.forSchema(schema as avro.Schema).toBuffer(value);
    const header = Buffer.from(`03${zlib ? '05' : '00'}${id.replaceAll('-', '')}`, 'hex');
    return { bytes: Buffer.concat([header, zlib ? deflateSync(body) : body]), registry };
  }

  const { timeMs: _, ...fields } = event;
  const avroEvent = { ...fields, data: JSON.stringify(event.data) };

  it('is version 3, no compression and the 16 bytes of the id; the body is plain Avro', async () => {
    const bytes = (
      await createEncoder(
        'avro',
        createMemoryRegistry(() => id),
      )
    )(event);
    expect(Buffer.from(bytes.subarray(0, 18)).toString('hex')).to.equal(`0300${id.replaceAll('-', '')}`);
    const plain = avro.Type.forSchema(JSON.parse(eventSchemaText) as avro.Schema);
    const body = plain.fromBuffer(Buffer.from(bytes.subarray(18))) as { id: string; data: string };
    expect(body).to.include({ id: 'e1', data: JSON.stringify(event.data) });
  });

  it('may say zlib', async () => {
    const { bytes, registry } = await frame(eventSchema, avroEvent, true);
    expect(await createDecoder(registry)(bytes)).to.deep.equal(event);
  });

  it('refuses a body that inflates beyond all records', async () => {
    const { bytes, registry } = await frame(
      eventSchema,
      { ...avroEvent, data: `"${' '.repeat(40_000_000)}"` },
      true,
    );
    expect((await failure(() => createDecoder(registry)(bytes))).message).to.contain('does not inflate');
  });

  it('refuses bytes after the event', async () => {
    const { bytes, registry } = await frame(eventSchema, avroEvent, false);
    const longer = Buffer.concat([bytes, Buffer.from([0])]);
    expect((await failure(() => createDecoder(registry)(longer))).message).to.contain(
      '1 bytes are left over',
    );
  });

  it('reads an older version that lacks fields with defaults', async () => {
    const older = { ...eventSchema, fields: eventSchema.fields.filter(({ name }) => name !== 'traceparent') };
    const { bytes, registry } = await frame(older, avroEvent, false);
    const { traceparent: __, ...expected } = event;
    expect(await createDecoder(registry)(bytes)).to.deep.equal(expected);
  });

  it('reads a newer version and skips what it does not know', async () => {
    const added = { name: 'tags', type: { type: 'array', items: 'string' } };
    const newer = { ...eventSchema, fields: [added, ...eventSchema.fields] };
    const { bytes, registry } = await frame(newer, { ...avroEvent, tags: ['a', 'b'] }, false);
    expect(await createDecoder(registry)(bytes)).to.deep.equal(event);
  });

  it('refuses a version that is no event', async () => {
    const other = { type: 'record', name: 'Other', fields: [{ name: 'x', type: 'int' }] };
    const { bytes, registry } = await frame(other, { x: 1 }, false);
    expect((await failure(() => createDecoder(registry)(bytes))).message).to.contain(
      'cannot be read as weir.Event',
    );
  });
});
