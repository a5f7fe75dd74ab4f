import { EventStreamCodec } from '@smithy/core/event-streams';
import { expect } from 'chai';
import fc from 'fast-check';
import { eventHeaders, exceptionHeaders, renderMessage } from '../../../local/kinesis/wire/event-stream.ts';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString(),
  (text) => Buffer.from(text),
);

describe('event stream messages', () => {
  it("are read by the SDK's codec, check sums included, whatever the payload and its parts", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), (parts) => {
        const decoded = codec.decode(renderMessage(eventHeaders('SubscribeToShardEvent'), parts));
        expect(Buffer.compare(Buffer.from(decoded.body), Buffer.concat(parts))).to.equal(0);
        expect(decoded.headers[':event-type']?.value).to.equal('SubscribeToShardEvent');
        expect(decoded.headers[':message-type']?.value).to.equal('event');
      }),
    );
  });

  it('say of an exception that it is one', () => {
    const { headers } = codec.decode(renderMessage(exceptionHeaders('ResourceInUseException'), []));
    expect(headers[':message-type']?.value).to.equal('exception');
    expect(headers[':exception-type']?.value).to.equal('ResourceInUseException');
  });
});
