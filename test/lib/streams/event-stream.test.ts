import { EventStreamCodec } from '@smithy/core/event-streams';
import { expect } from 'chai';
import fc from 'fast-check';
import { type EventMessage, readMessages } from '../../../lib/streams/event-stream.ts';

/** The SDK's own writer of the format: what it writes must be read here. */
const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString(),
  (text) => Buffer.from(text),
);
type Headers = Parameters<EventStreamCodec['encode']>[0]['headers'];

const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const header: fc.Arbitrary<Headers[string]> = fc.oneof(
  fc.record({ type: fc.constant('string' as const), value: text }),
  fc.record({ type: fc.constant('boolean' as const), value: fc.boolean() }),
  fc.record({ type: fc.constant('byte' as const), value: fc.integer({ min: -128, max: 127 }) }),
  fc.record({ type: fc.constant('short' as const), value: fc.integer({ min: -32_768, max: 32_767 }) }),
  fc.record({ type: fc.constant('integer' as const), value: fc.integer() }),
  fc.record({ type: fc.constant('binary' as const), value: fc.uint8Array({ maxLength: 30 }) }),
  fc.record({ type: fc.constant('timestamp' as const), value: fc.constant(new Date(1_767_225_600_000)) }),
  fc.record({
    type: fc.constant('uuid' as const),
    value: fc.constant('d9e2ba5b-8c68-4d4e-8a3f-57e6ad4fd2d8'),
  }),
);
const headers = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), header, { maxKeys: 6 });
const message = fc.record({ headers, body: fc.uint8Array({ maxLength: 300 }) });

async function* cut(bytes: Buffer, at: readonly number[]): AsyncGenerator<Buffer> {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  for (const [index, place] of places.entries()) yield bytes.subarray(place, places[index + 1] ?? place);
}

async function allOf(messages: AsyncIterable<EventMessage>): Promise<readonly EventMessage[]> {
  const all: EventMessage[] = [];
  for await (const each of messages) all.push(each);
  return all;
}

async function errorOf(bytes: Buffer): Promise<unknown> {
  return allOf(readMessages(cut(bytes, []))).then(
    () => expect.fail('did not fail'),
    (error: unknown) => error,
  );
}

const plain = Buffer.from(
  codec.encode({
    headers: { ':event-type': { type: 'string', value: 'x' } },
    body: Buffer.from('{"a":1}'),
  }),
);

describe('an event stream', () => {
  it('gives its messages with their headers of text, however the bytes are cut', async () => {
    const streams = fc.array(message, { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(streams, fc.array(fc.nat(), { maxLength: 8 }), async (written, places) => {
        const bytes = Buffer.concat(written.map((each) => codec.encode(each)));
        const read = await allOf(readMessages(cut(bytes, places)));
        expect(read.map(({ payload }) => [...payload])).to.deep.equal(written.map(({ body }) => [...body]));
        for (const [index, { headers: told }] of written.entries()) {
          const texts = Object.entries(told).flatMap(([name, { type, value }]) =>
            type === 'string' ? [[name, value]] : [],
          );
          expect(Object.fromEntries(read[index]!.headers)).to.deep.equal(Object.fromEntries(texts));
        }
      }),
    );
  });

  it('asks for room for each message before it reads on', async () => {
    const log: string[] = [];
    async function* chunks(): AsyncGenerator<Buffer> {
      const both = Buffer.concat([plain, plain]);
      for (const [index, byte] of both.entries()) {
        log.push(String(index));
        yield Buffer.of(byte);
      }
    }
    await allOf(readMessages(chunks(), async (bytes) => void log.push(`room for ${bytes}`)));
    const asked = log.flatMap((line, index) =>
      line.startsWith('room') ? [`${log[index - 1]}: ${line}`] : [],
    );
    const { length } = plain;
    expect(asked).to.deep.equal([`3: room for ${length}`, `${length + 3}: room for ${length}`]);
  });

  it('fails where a byte of a message is another one', async () => {
    for (let at = 0; at < plain.length; at += 1) {
      const damaged = Buffer.from(plain);
      damaged[at] = damaged[at]! ^ 1;
      expect(await errorOf(damaged), `byte ${at}`).to.be.instanceOf(RangeError);
    }
  });

  it('fails where it ends inside of a message', async () => {
    for (let length = 1; length < plain.length; length += 1) {
      expect(await errorOf(plain.subarray(0, length))).to.be.instanceOf(RangeError);
    }
  });

  it('fails at once for a length that no message has, and holds no memory for it', async () => {
    const error = await errorOf(Buffer.from('HTTP/1.1 502 Bad Gateway'));
    expect(String(error)).to.contain('a message of 1213486160 bytes');
  });
});
