import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamoDb } from '../../../local/dynamodb.ts';
import { batches, pages } from './support/dynamodb-reads.ts';
import { conditions, creation, races, updates, values } from './support/dynamodb-writes.ts';
import { contract, type Difference } from './support/peers.ts';

const differences: readonly Difference[] = [
  {
    peer: 'moto',
    rule: 'refuses an expression that it cannot read',
    does: 'answers with a python SyntaxError',
    documented: 'ValidationException (developer guide, "Error handling with DynamoDB")',
  },
  {
    peer: 'moto',
    rule: 'takes an item of 400 KB, names included, and refuses one byte more',
    does: 'has its limit at 405,000 bytes',
    documented: 'names and values in UTF-8, 400 KB (developer guide, "DynamoDB item sizes and formats")',
  },
  {
    peer: 'moto',
    rule: 'refuses a batch of 26',
    does: 'takes it',
    documented: 'up to 25 puts or deletes (API reference, BatchWriteItem)',
  },
];

contract({
  service: 'DynamoDB',
  ours: () => startDynamoDb({ host: '127.0.0.1', port: 0 }),
  connect: (config) => new DynamoDBClient(config),
  differences,
  rules: (rule, client) => {
    creation(rule, client);
    conditions(rule, client);
    races(rule, client);
    updates(rule, client);
    values(rule, client);
    pages(rule, client);
    batches(rule, client);
  },
});
