import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { ownerOf } from './checks.ts';
import { type Act, type Stage, Unreached } from './story.ts';

/**
 * The owner's next renewal, what is in its hands, and the other's discovery (KCL 3: twice the failover time); doubled
 * for a busy machine.
 */
const handOffMs = 40_000;

/**
 * Plays the KCL 3 leader's part of a graceful hand-off: `to` becomes the next owner, `from` stays the one that may
 * checkpoint, the counter stays. The workers have to do the rest.
 */
export function handOff(name: string, from: string, to: string): Act {
  return {
    name,
    ownedMs: handOffMs,
    play: async (stage) => {
      const leaseKey = await chosen(stage, from);
      await ask(stage, leaseKey, from, to);
      const before = (await stage.shares())[to] ?? 0;
      const reached = async (): Promise<boolean> => {
        const item = stage.scene.log.items.get(leaseKey);
        const begun = ((await stage.shares())[to] ?? 0) > before;
        return item?.checkpointOwner === undefined && ownerOf(item) === to && begun;
      };
      const note = await stage.until(`${leaseKey} went from ${from} to ${to}`, reached, handOffMs);
      const ended = stage.crew.lines.findLast((line) => {
        return line.event === 'end' && line.worker === from && line.shard === leaseKey;
      });
      return [note, `${from} ended it: ${ended?.event === 'end' ? ended.why : 'not said'}`];
    },
  };
}

async function chosen(stage: Stage, from: string): Promise<string> {
  const open = (await stage.scene.shards()).filter((shard) => shard.endingSequenceNumber === undefined);
  const found = open.find(({ shardId }) => {
    const item = stage.scene.log.items.get(shardId);
    return item?.leaseOwner?.S === from && item.checkpointOwner === undefined;
  });
  if (found === undefined) throw new Unreached(`${from} has no lease to hand over`);
  return found.shardId;
}

async function ask(stage: Stage, leaseKey: string, from: string, to: string): Promise<void> {
  const { log, name } = stage.scene;
  const door = await log.openFor('leader');
  const client = new DynamoDBClient({ region: 'us-east-1', endpoint: door.url });
  await client.send(
    new UpdateItemCommand({
      TableName: name,
      Key: { leaseKey: { S: leaseKey } },
      ConditionExpression: 'leaseOwner = :from AND attribute_not_exists(checkpointOwner)',
      UpdateExpression: 'SET leaseOwner = :to, checkpointOwner = :from',
      ExpressionAttributeValues: { ':from': { S: from }, ':to': { S: to } },
    }),
  );
  client.destroy();
  await door.close();
}
