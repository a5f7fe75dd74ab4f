import {
  AddTagsToStreamCommand,
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DescribeLimitsCommand,
  DescribeStreamCommand,
  DisableEnhancedMonitoringCommand,
  EnableEnhancedMonitoringCommand,
  IncreaseStreamRetentionPeriodCommand,
  ListStreamsCommand,
  ListTagsForResourceCommand,
  ListTagsForStreamCommand,
  RemoveTagsFromStreamCommand,
  StartStreamEncryptionCommand,
  StopStreamEncryptionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateMaxRecordSizeCommand,
  UpdateStreamModeCommand,
  type KinesisClient,
} from '@aws-sdk/client-kinesis';
import { expect } from 'chai';
import { active, invalid, newStream, put, shardsOf, summary, until } from './support/kinesis-calls.ts';
import type { Rule } from './support/kinesis-peers.ts';
import { refusalName, uniqueName } from './support/peers.ts';

const tagsOf = async (client: KinesisClient, StreamName: string): Promise<string[]> => {
  const { Tags } = await client.send(new ListTagsForStreamCommand({ StreamName }));
  return Tags!.map((tag) => `${tag.Key}=${tag.Value}`).toSorted();
};

const life: readonly Rule[] = [
  {
    sentence: 'a new stream becomes ACTIVE with the shards asked for and a day of retention',
    check: async (client) => {
      const name = await newStream(client, 3);
      const { StreamDescription: found } = await client.send(new DescribeStreamCommand({ StreamName: name }));
      expect(found).to.include({ StreamName: name, StreamStatus: 'ACTIVE', RetentionPeriodHours: 24 });
      expect(found!.StreamARN).to.match(new RegExp(`^arn:aws:kinesis:[a-z0-9-]+:\\d{12}:stream/${name}$`));
      expect(found!.Shards).to.have.length(3);
      expect(found!.EncryptionType).to.equal('NONE');
      expect(Math.abs(found!.StreamCreationTimestamp!.getTime() - Date.now())).to.be.lessThan(60_000);
    },
  },
  {
    sentence: 'a stream is meant by its name or by its ARN',
    check: async (client) => {
      const name = await newStream(client);
      const { StreamARN } = await summary(client, name);
      const { StreamDescription: found } = await client.send(new DescribeStreamCommand({ StreamARN }));
      expect(found!.StreamName).to.equal(name);
    },
  },
  {
    sentence: 'a second stream of the same name is a ResourceInUseException',
    check: async (client) => {
      const StreamName = await newStream(client);
      const again = client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
      expect(await refusalName(again)).to.equal('ResourceInUseException');
    },
  },
  {
    sentence: 'a stream that is not there is a ResourceNotFoundException',
    check: async (client) => {
      const StreamName = 'not-there';
      expect(await refusalName(summary(client, StreamName))).to.equal('ResourceNotFoundException');
      expect(await refusalName(put(client, StreamName, ['x']))).to.equal('ResourceNotFoundException');
      expect(await refusalName(client.send(new DeleteStreamCommand({ StreamName })))).to.equal(
        'ResourceNotFoundException',
      );
    },
  },
  {
    sentence: 'a name with other characters than letters, digits, _ . - is refused as invalid',
    check: async (client) => {
      const wrong = client.send(new CreateStreamCommand({ StreamName: 'a b', ShardCount: 1 }));
      expect(invalid).to.include(await refusalName(wrong));
    },
  },
  {
    sentence: 'a stream without a shard is refused as invalid',
    check: async (client) => {
      const none = client.send(new CreateStreamCommand({ StreamName: uniqueName('stream'), ShardCount: 0 }));
      expect(invalid).to.include(await refusalName(none));
    },
  },
  {
    sentence: 'an on-demand stream needs no shard count and begins with four',
    check: async (client) => {
      const StreamName = uniqueName('stream');
      const StreamModeDetails = { StreamMode: 'ON_DEMAND' } as const;
      await client.send(new CreateStreamCommand({ StreamName, StreamModeDetails }));
      await active(client, StreamName);
      expect(await shardsOf(client, StreamName)).to.have.length(4);
      expect((await summary(client, StreamName)).StreamModeDetails).to.deep.equal(StreamModeDetails);
    },
  },
  {
    sentence: 'streams are listed in the order of their names, page by page',
    check: async (client) => {
      const mine = [await newStream(client), await newStream(client), await newStream(client)].toSorted();
      const listed: string[] = [];
      let more = true;
      while (more) {
        const page = await client.send(
          new ListStreamsCommand({ Limit: 2, ExclusiveStartStreamName: listed.at(-1) }),
        );
        listed.push(...page.StreamNames!);
        more = page.HasMoreStreams!;
      }
      expect(listed).to.deep.equal(listed.toSorted());
      expect(listed).to.include.members(mine);
    },
  },
  {
    sentence: 'a deleted stream is gone, and its name can be used again',
    check: async (client) => {
      const StreamName = await newStream(client);
      await put(client, StreamName, ['before']);
      await client.send(new DeleteStreamCommand({ StreamName }));
      await until(async () => (await refusalOrStatus(client, StreamName)) !== 'DELETING');
      expect(await refusalOrStatus(client, StreamName)).to.equal('ResourceNotFoundException');
      await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
      await active(client, StreamName);
      expect((await summary(client, StreamName)).OpenShardCount).to.equal(1);
    },
  },
];

const settings: readonly Rule[] = [
  {
    sentence: 'the retention is raised and lowered between a day and a year',
    check: async (client) => {
      const StreamName = await newStream(client);
      const hours = (RetentionPeriodHours: number) => ({ StreamName, RetentionPeriodHours });
      await client.send(new IncreaseStreamRetentionPeriodCommand(hours(168)));
      expect((await summary(client, StreamName)).RetentionPeriodHours).to.equal(168);
      await client.send(new DecreaseStreamRetentionPeriodCommand(hours(24)));
      expect((await summary(client, StreamName)).RetentionPeriodHours).to.equal(24);
    },
  },
  {
    sentence: 'raising the retention to less, or lowering it to more, is an InvalidArgumentException',
    check: async (client) => {
      const StreamName = await newStream(client);
      const hours = (RetentionPeriodHours: number) => ({ StreamName, RetentionPeriodHours });
      await client.send(new IncreaseStreamRetentionPeriodCommand(hours(72)));
      const raised = client.send(new IncreaseStreamRetentionPeriodCommand(hours(48)));
      expect(await refusalName(raised)).to.equal('InvalidArgumentException');
      const lowered = client.send(new DecreaseStreamRetentionPeriodCommand(hours(96)));
      expect(await refusalName(lowered)).to.equal('InvalidArgumentException');
    },
  },
  {
    sentence: 'encryption is shown with its key, and then no more',
    check: async (client) => {
      const StreamName = await newStream(client);
      const encryption = { StreamName, EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' } as const;
      await client.send(new StartStreamEncryptionCommand(encryption));
      await active(client, StreamName);
      expect(await summary(client, StreamName)).to.include({
        EncryptionType: 'KMS',
        KeyId: 'alias/aws/kinesis',
      });
      await client.send(new StopStreamEncryptionCommand(encryption));
      await active(client, StreamName);
      expect((await summary(client, StreamName)).EncryptionType).to.equal('NONE');
    },
  },
  {
    sentence: 'enhanced monitoring answers with the metrics before and after',
    check: async (client) => {
      const StreamName = await newStream(client);
      const named = (...ShardLevelMetrics: ('IncomingBytes' | 'OutgoingBytes')[]) => ({
        StreamName,
        ShardLevelMetrics,
      });
      await client.send(new EnableEnhancedMonitoringCommand(named('IncomingBytes', 'OutgoingBytes')));
      const off = await client.send(new DisableEnhancedMonitoringCommand(named('IncomingBytes')));
      expect(off.CurrentShardLevelMetrics?.toSorted()).to.deep.equal(['IncomingBytes', 'OutgoingBytes']);
      expect(off.DesiredShardLevelMetrics).to.deep.equal(['OutgoingBytes']);
    },
  },
  {
    sentence: 'the mode is changed between provisioned and on demand',
    check: async (client) => {
      const StreamName = await newStream(client);
      const { StreamARN } = await summary(client, StreamName);
      const StreamModeDetails = { StreamMode: 'ON_DEMAND' } as const;
      await client.send(new UpdateStreamModeCommand({ StreamARN, StreamModeDetails }));
      await active(client, StreamName);
      expect((await summary(client, StreamName)).StreamModeDetails).to.deep.equal(StreamModeDetails);
    },
  },
  {
    sentence: 'the largest record is set between 1 and 10 MiB, and then taken',
    check: async (client) => {
      const StreamName = await newStream(client);
      const { StreamARN } = await summary(client, StreamName);
      const size = (MaxRecordSizeInKiB: number) =>
        new UpdateMaxRecordSizeCommand({ StreamARN, MaxRecordSizeInKiB });
      expect(await refusalName(client.send(size(10_241)))).to.equal('ValidationException');
      await client.send(size(2_048));
      await active(client, StreamName);
      const [outcome] = await put(client, StreamName, ['x'.repeat(200)]);
      expect(outcome!.ErrorCode).to.equal(undefined);
      expect((await summary(client, StreamName)).MaxRecordSizeInKiB).to.equal(2_048);
    },
  },
  {
    sentence: 'limits count shards and on-demand streams',
    check: async (client) => {
      const before = await client.send(new DescribeLimitsCommand({}));
      await newStream(client, 2);
      const after = await client.send(new DescribeLimitsCommand({}));
      expect(after.OpenShardCount! - before.OpenShardCount!).to.equal(2);
      expect(after.ShardLimit).to.be.greaterThan(after.OpenShardCount!);
      expect(after.OnDemandStreamCountLimit).to.be.a('number');
    },
  },
];

const tags: readonly Rule[] = [
  {
    sentence: 'tags of a stream are added, replaced, listed and removed',
    check: async (client) => {
      const StreamName = await newStream(client);
      await client.send(new AddTagsToStreamCommand({ StreamName, Tags: { a: '1', b: '2' } }));
      await client.send(new AddTagsToStreamCommand({ StreamName, Tags: { b: '3', c: '4' } }));
      expect(await tagsOf(client, StreamName)).to.deep.equal(['a=1', 'b=3', 'c=4']);
      await client.send(new RemoveTagsFromStreamCommand({ StreamName, TagKeys: ['a', 'nothing'] }));
      expect(await tagsOf(client, StreamName)).to.deep.equal(['b=3', 'c=4']);
    },
  },
  {
    sentence: 'tags are listed page by page',
    check: async (client) => {
      const StreamName = await newStream(client);
      await client.send(new AddTagsToStreamCommand({ StreamName, Tags: { a: '1', b: '2', c: '3' } }));
      const first = await client.send(new ListTagsForStreamCommand({ StreamName, Limit: 2 }));
      expect(first.HasMoreTags).to.equal(true);
      const ExclusiveStartTagKey = first.Tags!.at(-1)!.Key;
      const rest = await client.send(new ListTagsForStreamCommand({ StreamName, ExclusiveStartTagKey }));
      expect(rest.HasMoreTags).to.equal(false);
      expect([...first.Tags!, ...rest.Tags!].map((tag) => tag.Key)).to.deep.equal(['a', 'b', 'c']);
    },
  },
  {
    sentence: 'tags by ARN are the same tags',
    check: async (client) => {
      const StreamName = await newStream(client, 1, { Tags: { made: 'with' } });
      const { StreamARN: ResourceARN } = await summary(client, StreamName);
      await client.send(new TagResourceCommand({ ResourceARN, Tags: { a: '1', b: '2' } }));
      await client.send(new UntagResourceCommand({ ResourceARN, TagKeys: ['a'] }));
      const { Tags } = await client.send(new ListTagsForResourceCommand({ ResourceARN }));
      expect(Tags!.map((tag) => tag.Key)).to.have.members(['b', 'made']);
      expect(await tagsOf(client, StreamName)).to.deep.equal(['b=2', 'made=with']);
    },
  },
];

async function refusalOrStatus(client: KinesisClient, StreamName: string): Promise<string> {
  try {
    return (await summary(client, StreamName)).StreamStatus ?? '';
  } catch (error) {
    return (error as Error).name;
  }
}

export const streamRules: readonly Rule[] = [...life, ...settings, ...tags];
