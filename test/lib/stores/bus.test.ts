import { type SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect } from 'chai';
import { type Clock, systemClock } from '../../../lib/runtime/clock.ts';
import { type BusMessage, createBus, messageBytesMax } from '../../../lib/stores/bus.ts';

type Entry = { readonly Id?: string | undefined; readonly MessageBody?: string | undefined };
type Failed = readonly { readonly Id: string; readonly SenderFault: boolean; readonly Code: string }[];

/** A queue that answers each batch with what `answer` says has failed. */
class TestQueue extends SQSClient {
  readonly calls: (readonly Entry[])[] = [];
  answer: (entries: readonly Entry[], call: number) => Failed = () => [];

  override send = (async (command: SendMessageBatchCommand) => {
    const entries = command.input.Entries ?? [];
    this.calls.push(entries);
    return { Failed: this.answer(entries, this.calls.length) };
  }) as unknown as SQSClient['send'];
}

describe('the bus', () => {
  const clock: Clock = { ...systemClock, sleep: async () => {} };
  const create = () => {
    const client = new TestQueue({ region: 'local' });
    return { client, bus: createBus({ client, queueUrl: 'http://queue', clock }) };
  };
  const message = (n: number, body = `body ${n}`): BusMessage => ({
    id: `m${n}`,
    kind: 'event',
    type: 'weather',
    body,
  });

  it('sends at most ten messages, and no more bytes than one message may have, in a call', async () => {
    const { client, bus } = create();
    await bus.send(Array.from({ length: 23 }, (_, n) => message(n)));
    expect(client.calls.map((entries) => entries.length)).to.deep.equal([10, 10, 3]);
    client.calls.length = 0;
    await bus.send([1, 2, 3].map((n) => message(n, 'x'.repeat(messageBytesMax / 2 - 4_000))));
    expect(client.calls.map((entries) => entries.length)).to.deep.equal([2, 1]);
  });

  it('sends again what the queue could not take, and only that', async () => {
    const { client, bus } = create();
    client.answer = (_, call) => (call === 1 ? [{ Id: '1', SenderFault: false, Code: 'InternalError' }] : []);
    await bus.send([message(1), message(2), message(3)]);
    const bodies = client.calls.map((entries) => entries.map(({ MessageBody }) => MessageBody));
    expect(bodies).to.deep.equal([['body 1', 'body 2', 'body 3'], ['body 2']]);
  });

  it('says so when a message is refused, or is not taken however often it is sent', async () => {
    for (const [SenderFault, code] of [
      [true, 'bus-refused'],
      [false, 'bus-unavailable'],
    ] as const) {
      const { client, bus } = create();
      client.answer = () => [{ Id: '0', SenderFault, Code: 'Whatever' }];
      const failed = await bus.send([message(1)]).then(
        () => 'sent',
        (error: { code?: string }) => error.code,
      );
      expect(failed).to.equal(code);
      expect(client.calls.length).to.equal(SenderFault ? 1 : 8);
    }
  });
});
