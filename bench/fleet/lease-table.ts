import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { tables } from '../../lib/stores/tables.ts';
import { startDynamoDb } from '../../local/dynamodb.ts';
import { tableInput } from '../../local/seeding/tables.ts';

/** The laptop's DynamoDB with one lease table, as a process of its own; ends with its parent. */
const [table = 'leases'] = process.argv.slice(2);
const server = await startDynamoDb({ host: '127.0.0.1', port: 0 });
const client = new DynamoDBClient({ region: 'eu-central-1', endpoint: server.url });
await client.send(new CreateTableCommand(tableInput(table, tables['router-leases'])));
client.destroy();
process.on('disconnect', () => process.exit(0));
process.send?.({ url: server.url });
