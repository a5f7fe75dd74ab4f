import {
  DynamoDBClient,
  type AttributeValue,
  DeleteItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Scene } from './scene.ts';

/** A conditional change, in DynamoDB's words. */
interface Change {
  readonly ConditionExpression: string;
  readonly UpdateExpression: string;
  readonly ExpressionAttributeValues: Record<string, AttributeValue>;
}

/**
 * The KCL 3 leader's part of a graceful hand-off: `to` becomes the next owner, `from` stays the one that may checkpoint,
 * the counter stays. The workers have to do the rest.
 */
export function askHandOff(scene: Scene, leaseKey: string, from: string, to: string): Promise<void> {
  return change(scene, leaseKey, {
    ConditionExpression: 'leaseOwner = :from AND attribute_not_exists(checkpointOwner)',
    UpdateExpression: 'SET leaseOwner = :to, checkpointOwner = :from',
    ExpressionAttributeValues: { ':from': { S: from }, ':to': { S: to } },
  });
}

/** What KCL's migration tool does to bring a fleet back to the rules of 2, but for the index, which it deletes. */
export function rollBackVersion(scene: Scene): Promise<void> {
  return change(scene, 'Migration3.0', {
    ConditionExpression: 'cv IN (:upgrading, :rollback)',
    UpdateExpression: 'SET cv = :old, mb = :tool, mts = :now',
    ExpressionAttributeValues: {
      ':old': { S: 'CLIENT_VERSION_2X' },
      ':upgrading': { S: 'CLIENT_VERSION_UPGRADE_FROM_2X' },
      ':rollback': { S: 'CLIENT_VERSION_3X_WITH_ROLLBACK' },
      ':tool': { S: 'KclMigrationTool-rollback' },
      ':now': { N: String(Date.now()) },
    },
  });
}

export function deleteLease(scene: Scene, leaseKey: string): Promise<void> {
  return atDoor(scene, async (client) => {
    const Key = { leaseKey: { S: leaseKey } };
    await client.send(new DeleteItemCommand({ TableName: scene.name, Key }));
  });
}

function change(scene: Scene, leaseKey: string, what: Change): Promise<void> {
  return atDoor(scene, async (client) => {
    const Key = { leaseKey: { S: leaseKey } };
    await client.send(new UpdateItemCommand({ TableName: scene.name, Key, ...what }));
  });
}

/** Written down under a name that is no worker's. */
async function atDoor(scene: Scene, work: (client: DynamoDBClient) => Promise<void>): Promise<void> {
  const door = await scene.log.openFor('by hand');
  const client = new DynamoDBClient({ region: 'us-east-1', endpoint: door.url });
  await work(client);
  client.destroy();
  await door.close();
}
