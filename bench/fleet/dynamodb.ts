import { startDynamoDb } from '../../local/dynamodb.ts';

/** The laptop's DynamoDB as a process of its own; tells its address and ends with its parent. */
const server = await startDynamoDb({ host: '127.0.0.1', port: 0 });
process.on('disconnect', () => process.exit(0));
process.send?.({ url: server.url });
