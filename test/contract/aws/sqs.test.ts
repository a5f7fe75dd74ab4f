import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { expect } from 'chai';
import { startSqs } from '../../../local/sqs.ts';
import { contract, type Difference, refusalName, type Rule, uniqueName } from './support/peers.ts';

const differences: readonly Difference[] = [
  {
    peer: 'moto',
    rule: 'refuses an empty body',
    does: 'takes it',
    documented: 'a message has at least one character (API reference, SendMessage)',
  },
];

type Client = () => SQSClient;

contract({
  service: 'SQS',
  ours: () => startSqs({ host: '127.0.0.1', port: 0 }),
  connect: (config) => new SQSClient(config),
  differences,
  rules: (rule, client) => {
    queues(rule, client);
    messages(rule, client);
    batches(rule, client);
    redrive(rule, client);
  },
});

async function newQueue(client: Client, Attributes: Record<string, string> = {}): Promise<string> {
  const { QueueUrl = '' } = await client().send(
    new CreateQueueCommand({ QueueName: uniqueName('queue'), Attributes }),
  );
  return QueueUrl;
}

async function receive(client: Client, QueueUrl: string, more: object = {}) {
  const { Messages = [] } = await client().send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...more }),
  );
  return Messages;
}

function queues(rule: Rule, client: Client): void {
  rule('gives a queue a URL on the address that it was asked at', async () => {
    const { hostname, port } = await client().config.endpoint!();
    expect(new URL(await newQueue(client)).host).to.equal(`${hostname}:${port}`);
  });

  rule('creates a queue again with the same URL, and finds it by name and by prefix', async () => {
    const QueueName = uniqueName('queue');
    const { QueueUrl } = await client().send(new CreateQueueCommand({ QueueName }));
    expect((await client().send(new CreateQueueCommand({ QueueName }))).QueueUrl).to.equal(QueueUrl);
    expect((await client().send(new GetQueueUrlCommand({ QueueName }))).QueueUrl).to.equal(QueueUrl);
    const { QueueUrls } = await client().send(new ListQueuesCommand({ QueueNamePrefix: QueueName }));
    expect(QueueUrls).to.deep.equal([QueueUrl]);
  });

  rule('refuses to send to a queue that is not there', async () => {
    const QueueUrl = `${await newQueue(client)}-none`;
    const send = client().send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    expect(await refusalName(send)).to.match(/QueueDoesNotExist|NonExistentQueue/);
  });
}

function messages(rule: Rule, client: Client): void {
  rule('delivers a body and its attributes as they were sent', async () => {
    const QueueUrl = await newQueue(client);
    const kind = { DataType: 'String', StringValue: 'archived' };
    const MessageBody = '{"range":"é💥"}';
    await client().send(new SendMessageCommand({ QueueUrl, MessageBody, MessageAttributes: { kind } }));
    const [message] = await receive(client, QueueUrl, { MessageAttributeNames: ['All'] });
    expect(message?.Body).to.equal(MessageBody);
    expect(message?.MessageAttributes?.kind).to.include(kind);
  });

  rule('hides a received message until its visibility is given back', async () => {
    const QueueUrl = await newQueue(client);
    await client().send(new SendMessageCommand({ QueueUrl, MessageBody: 'once' }));
    const [message] = await receive(client, QueueUrl);
    expect(await receive(client, QueueUrl)).to.deep.equal([]);
    const ReceiptHandle = message?.ReceiptHandle;
    await client().send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
    );
    const [again] = await receive(client, QueueUrl, {
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    });
    expect(again?.MessageId).to.equal(message?.MessageId);
    expect(again?.Attributes?.ApproximateReceiveCount).to.equal('2');
  });

  rule('never delivers a deleted message again', async () => {
    const QueueUrl = await newQueue(client, { VisibilityTimeout: '0' });
    await client().send(new SendMessageCommand({ QueueUrl, MessageBody: 'gone' }));
    const [message] = await receive(client, QueueUrl);
    await client().send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
    expect(await receive(client, QueueUrl)).to.deep.equal([]);
  });

  rule('wakes a long poll when a message comes', async () => {
    const QueueUrl = await newQueue(client);
    const polled = receive(client, QueueUrl, { WaitTimeSeconds: 5 });
    await client().send(new SendMessageCommand({ QueueUrl, MessageBody: 'wake' }));
    expect((await polled).map((message) => message.Body)).to.deep.equal(['wake']);
  });

  rule('counts waiting and hidden messages', async () => {
    const QueueUrl = await newQueue(client);
    for (const MessageBody of ['a', 'b', 'c'])
      await client().send(new SendMessageCommand({ QueueUrl, MessageBody }));
    await receive(client, QueueUrl, { MaxNumberOfMessages: 1 });
    const { Attributes } = await client().send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes?.ApproximateNumberOfMessages).to.equal('2');
    expect(Attributes?.ApproximateNumberOfMessagesNotVisible).to.equal('1');
  });

  rule('refuses an empty body', async () => {
    const QueueUrl = await newQueue(client);
    const send = client().send(new SendMessageCommand({ QueueUrl, MessageBody: '' }));
    expect(await refusalName(send)).to.match(/MissingParameter|InvalidParameterValue/);
  });
}

function batches(rule: Rule, client: Client): void {
  const entries = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ Id: `m${at}`, MessageBody: `b${at}` }));

  rule('sends, receives and deletes ten messages at once', async () => {
    const QueueUrl = await newQueue(client);
    const sent = await client().send(new SendMessageBatchCommand({ QueueUrl, Entries: entries(10) }));
    expect(sent.Successful).to.have.lengthOf(10);
    const received = await receive(client, QueueUrl);
    expect(received.map((message) => message.Body)).to.have.members(
      entries(10).map((entry) => entry.MessageBody),
    );
    const Entries = received.map(({ ReceiptHandle }, at) => ({ Id: `${at}`, ReceiptHandle }));
    const deleted = await client().send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    expect(deleted.Successful).to.have.lengthOf(10);
  });

  rule('refuses a batch of eleven, of none, and one with an id twice', async () => {
    const QueueUrl = await newQueue(client);
    const send = (Entries: { Id: string; MessageBody: string }[]) =>
      refusalName(client().send(new SendMessageBatchCommand({ QueueUrl, Entries })));
    expect(await send(entries(11))).to.match(/TooManyEntriesInBatchRequest/);
    expect(await send([])).to.match(/EmptyBatchRequest/);
    expect(await send([...entries(1), ...entries(1)])).to.match(/BatchEntryIdsNotDistinct/);
  });
}

function redrive(rule: Rule, client: Client): void {
  rule('moves a message to the dead-letter queue after its last receive', async () => {
    const deadLetters = await newQueue(client);
    const QueueUrl = await newQueue(client, { VisibilityTimeout: '0' });
    const { Attributes } = await client().send(
      new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] }),
    );
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: 2 });
    await client().send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy } }));
    await client().send(new SendMessageCommand({ QueueUrl, MessageBody: 'poison' }));
    const bodies: (string | undefined)[] = [];
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      bodies.push((await receive(client, QueueUrl))[0]?.Body);
    }
    expect(bodies).to.deep.equal(['poison', 'poison', undefined]);
    expect((await receive(client, deadLetters)).map((message) => message.Body)).to.deep.equal(['poison']);
  });
}
