import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { expect } from 'chai';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDynamoLeaseStore } from '../../../lib/leases/dynamo-lease-table.ts';
import { LeaseStoreError } from '../../../lib/leases/lease-store.ts';
import { createLeaseTable } from '../../../lib/leases/lease-table.ts';
import { createLeaseStore } from '../../../lib/leases/table-lease-store.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { messageOf } from '../../../lib/runtime/errors.ts';
import { createAwsKinesis } from '../../../lib/streams/aws-kinesis.ts';
import { failure, leaseScene, ofType, stopAll } from '../../support/lease-scene.ts';
import { startWorker } from '../../support/lease-workers.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const role = 'arn:aws:sts::000000000000:assumed-role/billing/1';

/** Answers as AWS does where the role's policy lacks the action. */
describe('a worker without permission', () => {
  let server: Server;
  let endpoint: string;
  before(async () => {
    server = createServer((request, response) => {
      request.resume();
      const action = String(request.headers['x-amz-target'])
        .replace(/_\d+\./, ':')
        .toLowerCase();
      const body = {
        __type: 'com.amazon.coral.service#AccessDeniedException',
        Message: `User: ${role} is not authorized to perform: ${action}`,
      };
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after((done) => void server.close(done));

  it('on the lease table does not start: the error names the table, the role and the action', async () => {
    const { clock, kinesis } = leaseScene(1);
    const client = new DynamoDBClient({ region: 'local', endpoint, credentials });
    const store = createDynamoLeaseStore({ client, tableName: 'billing-leases', requestMs: 1_000 });
    const error = await failure(startWorker({ id: 'a', clock, kinesis, store }).done);
    expect(error).to.include({ code: 'lease-table-forbidden', retryable: false });
    expect(messageOf(error)).to.include('"billing-leases"').and.include(role).and.include(':scan');
    client.destroy();
  });

  it('to make the lease table is told so, with the table and the action', async () => {
    const client = new DynamoDBClient({ region: 'local', endpoint, credentials });
    const error = await failure(createLeaseTable(client, 'billing-leases', systemClock));
    expect(error).to.include({ code: 'lease-table-forbidden' });
    expect(messageOf(error)).to.include('"billing-leases"').and.include(':describetable');
    client.destroy();
  });

  it('on the stream does not start: the error names the call and the stream', async () => {
    const { clock, store } = leaseScene(1);
    const requestHandler = new NodeHttpHandler();
    const client = new KinesisClient({ region: 'local', endpoint, credentials, requestHandler });
    const kinesis = createAwsKinesis(client);
    const error = await failure(startWorker({ id: 'a', clock, kinesis, store }).done);
    expect(error).to.include({ code: 'access-denied', retryable: false });
    expect(messageOf(error)).to.include('orders').and.include(role);
    client.destroy();
  });

  it('any more works until its deadline, says what is refused, and goes on when it has it again', async () => {
    const { clock, kinesis, store } = leaseScene(2);
    let refused = false;
    const { table } = store;
    const forbidden = new LeaseStoreError('lease-table-forbidden', 'not authorized to perform: UpdateItem');
    const guarded = createLeaseStore({
      ...table,
      update: async (write) => (refused ? Promise.reject(forbidden) : table.update(write)),
    });
    const worker = startWorker({ id: 'a', clock, kinesis, store: guarded });
    await clock.advance(10_000);
    refused = true;
    await clock.advance(3_000);
    expect(worker.working.size).to.equal(2);
    await clock.advance(10_000);
    expect(worker.working.size).to.equal(0);
    const said = ofType(worker, 'call-failed').map((event) => event.type === 'call-failed' && event.error);
    expect(said).to.include(forbidden);
    refused = false;
    await clock.advance(10_000);
    expect(worker.working.size).to.equal(2);
    await stopAll(clock, [worker]);
  });
});
