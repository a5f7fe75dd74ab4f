import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import { PlatformError } from '../../lib/runtime/errors.ts';
import { closeServer } from '../../local/close-server.ts';
import { startDynamoDb } from '../../local/dynamodb.ts';
import { listen } from '../../local/listen.ts';
import { startSqs } from '../../local/sqs.ts';

const host = '127.0.0.1';

describe('taking a port', () => {
  let server: Server;
  let port: number;

  beforeEach(async () => {
    server = createServer((_request, response) => void response.end('ok'));
    port = await listen(server, { host, port: 0, what: 'this test' });
  });

  afterEach(async () => {
    if (server.listening) await closeServer(server);
  });

  for (const [what, take] of [
    ['DynamoDB', startDynamoDb],
    ['SQS', startSqs],
  ] as const) {
    it(`names the port that ${what} cannot have`, async () => {
      let failure: unknown;
      try {
        await take({ host, port });
      } catch (error) {
        failure = error;
      }
      if (!(failure instanceof PlatformError)) throw new Error(`It was not refused: ${String(failure)}`);
      expect(failure.code).to.equal('port-in-use');
      expect(failure.message).to.include(`Port ${port} on ${host}, wanted for ${what}, is taken`);
    });
  }

  it('gives the port back although a client keeps its connection open', async () => {
    const response = await fetch(`http://${host}:${port}`, { headers: { connection: 'keep-alive' } });
    expect(await response.text()).to.equal('ok');
    await closeServer(server);
    const next = createServer();
    expect(await listen(next, { host, port, what: 'the next' })).to.equal(port);
    await closeServer(next);
  });
});
