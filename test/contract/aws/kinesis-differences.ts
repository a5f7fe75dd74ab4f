import type { Difference } from './support/kinesis-peers.ts';

/** Sources: the Amazon Kinesis Data Streams API Reference and Developer Guide. */
type Row = Omit<Difference, 'peer'>;

const kinesisLocal: readonly Row[] = [
  {
    rule: 'a stream without a shard is refused as invalid',
    does: 'calls it a LimitExceededException',
    documented: 'CreateStream: ShardCount is at least 1',
  },
  {
    rule: 'the largest record is set between 1 and 10 MiB, and then taken',
    does: 'says InvalidArgumentException',
    documented: 'UpdateMaxRecordSize: out of range it sends back a ValidationException',
  },
  {
    rule: 'more than 500 records in a call are refused as invalid',
    does: 'takes them',
    documented: 'PutRecords: up to 500 records in a request',
  },
  {
    rule: 'no record in a call is refused as invalid',
    does: 'takes the call',
    documented: 'PutRecords: Records has 1 to 500 items',
  },
  {
    rule: 'more than 10 MiB in a call are refused',
    does: 'takes them, in half a minute',
    documented: 'PutRecords: up to 10 MiB in a request',
    untried: true,
  },
  {
    rule: 'data and partition key of more than 1 MiB together are refused, and 1 MiB is taken',
    does: 'counts the data alone',
    documented: 'PutRecord: the size limit is that of data and partition key together',
    untried: true,
  },
  {
    rule: 'a page has at most 10 MiB of data',
    does: 'needs half a minute for 12 MiB',
    documented: 'GetRecords: at most 10 MiB in a call',
    untried: true,
  },
  {
    rule: 'an iterator at a sequence number that is not of the stream is an InvalidArgumentException',
    does: 'gives an iterator',
    documented: 'GetShardIterator: a parameter that cannot be used is an InvalidArgumentException',
  },
  {
    rule: 'an iterator that the service did not make is an InvalidArgumentException',
    does: 'fails with status 500',
    documented: 'GetRecords: a parameter that cannot be used is an InvalidArgumentException',
  },
  {
    rule: 'filters give the open shards, the later ones, those at the trim horizon, or all',
    does: 'gives every shard AT_TRIM_HORIZON',
    documented: 'ShardFilter: the shards that were open at TRIM_HORIZON',
  },
  {
    rule: 'a split outside the range of its shard is an InvalidArgumentException',
    does: 'splits there',
    documented: 'SplitShard: NewStartingHashKey must be in the range of the shard',
  },
  {
    rule: 'uniform scaling to a count that is no multiple still ends with equal shares',
    does: 'ends with unequal ones',
    documented: 'UpdateShardCount: uniform scaling creates shards of equal size',
  },
  {
    rule: 'consumers are listed page by page',
    does: 'gives all at once',
    documented: 'ListStreamConsumers: at most MaxResults, and a NextToken',
  },
  {
    rule: 'a consumer that was deregistered is a ResourceNotFoundException in the end',
    does: 'leaves it in DELETING',
    documented: 'DescribeStreamConsumer: ResourceNotFoundException',
  },
  {
    rule: 'a subscription to a closed shard ends after its records, with the children and no continuation',
    does: 'never sends children',
    documented: 'SubscribeToShardEvent: ChildShards at the end of the shard',
  },
];

const moto: readonly Row[] = [
  {
    rule: 'a name with other characters than letters, digits, _ . - is refused as invalid',
    does: 'takes the name',
    documented: 'CreateStream: StreamName matches [a-zA-Z0-9_.-]+',
  },
  {
    rule: 'a stream without a shard is refused as invalid',
    does: 'fails with status 500',
    documented: 'CreateStream: ShardCount is at least 1',
  },
  {
    rule: 'streams are listed in the order of their names, page by page',
    does: 'lists them in the order of creation',
    documented: 'ListStreams: after ExclusiveStartStreamName come the names behind it',
  },
  {
    rule: 'the largest record is set between 1 and 10 MiB, and then taken',
    does: 'does not know the call',
    documented: 'UpdateMaxRecordSize',
  },
  {
    rule: 'limits count shards and on-demand streams',
    does: 'counts no shards',
    documented: 'DescribeLimits: OpenShardCount',
  },
  {
    rule: 'tags are listed page by page',
    does: 'repeats a tag on the next page',
    documented: 'ListTagsForStream: the tags after ExclusiveStartTagKey',
  },
  {
    rule: 'tags by ARN are the same tags',
    does: 'does not know TagResource',
    documented: 'TagResource',
  },
  {
    rule: 'an explicit hash key wins over the partition key',
    does: 'fails with status 500 at the largest key',
    documented: 'PutRecords: ExplicitHashKey is 0 to 2^128 − 1',
  },
  {
    rule: 'a sequence number for ordering is taken from this stream and refused from elsewhere',
    does: 'takes any',
    documented: 'PutRecord: SequenceNumberForOrdering is that of an earlier record of the stream',
  },
  {
    rule: 'no record in a call is refused as invalid',
    does: 'takes the call',
    documented: 'PutRecords: Records has 1 to 500 items',
  },
  {
    rule: 'data and partition key of more than 1 MiB together are refused, and 1 MiB is taken',
    does: 'counts the data alone',
    documented: 'PutRecord: the size limit is that of data and partition key together',
  },
  {
    rule: 'a partition key has 1 to 256 characters, or it is refused as invalid',
    does: 'takes an empty key',
    documented: 'PutRecord: PartitionKey has 1 to 256 characters',
  },
  {
    rule: 'records of an encrypted stream say so',
    does: 'says nothing',
    documented: 'PutRecord: EncryptionType',
  },
  {
    rule: 'an iterator AT_ or AFTER_ a sequence number without one is an InvalidArgumentException',
    does: 'fails with status 500',
    documented: 'GetShardIterator: InvalidArgumentException',
  },
  {
    rule: 'an iterator at a sequence number that is not of the stream is an InvalidArgumentException',
    does: 'gives an iterator',
    documented: 'GetShardIterator: a parameter that cannot be used is an InvalidArgumentException',
  },
  {
    rule: 'an iterator that the service did not make is an InvalidArgumentException',
    does: 'fails with status 500',
    documented: 'GetRecords: a parameter that cannot be used is an InvalidArgumentException',
  },
  {
    rule: 'the limit of a page is 1 to 10,000, or it is refused as invalid',
    does: 'takes any',
    documented: 'GetRecords: Limit is 1 to 10,000',
  },
  {
    rule: 'a page has at most 10 MiB of data',
    does: 'gives 12 MiB',
    documented: 'GetRecords: at most 10 MiB in a call',
  },
  {
    rule: 'shards are listed page by page, each page from the token alone',
    does: 'wants the parameters of the first page again',
    documented: 'ListShards: no StreamName beside NextToken',
  },
  {
    rule: 'a page token beside a stream name is an InvalidArgumentException',
    does: 'takes both',
    documented: 'ListShards: no StreamName beside NextToken',
  },
  {
    rule: 'shards are listed from behind an exclusive start',
    does: 'lists all',
    documented: 'ListShards: ExclusiveStartShardId',
  },
  {
    rule: 'filters give the open shards, the later ones, those at the trim horizon, or all',
    does: 'lists all',
    documented: 'ListShards: ShardFilter',
  },
  {
    rule: 'a split closes the parent and opens two children above it, which share its range',
    does: 'keeps numbers of children below those of the parent',
    documented: "Developer Guide: the sequence numbers of a shard's children are higher",
  },
  {
    rule: 'a reader of a closed shard gets its last records, then no iterator but the children',
    does: 'gives iterators for ever',
    documented: 'GetRecords: NextShardIterator is null at the end of a closed shard, with ChildShards',
  },
  {
    rule: 'what is put after a split goes to the children',
    does: 'goes on writing to the parent',
    documented: 'Developer Guide: records that would have gone to the parent go to the children',
  },
  {
    rule: 'uniform scaling to a count that is no multiple still ends with equal shares',
    does: 'ends with unequal ones',
    documented: 'UpdateShardCount: uniform scaling creates shards of equal size',
  },
  {
    rule: 'uniform scaling beyond double or below half is refused',
    does: 'takes any count',
    documented: 'UpdateShardCount: at most double and at least half',
  },
  {
    rule: 'a consumer is found by its ARN, or by its name and the ARN of its stream',
    does: 'makes ARNs without a time',
    documented: 'Consumer ARN: stream/NAME/consumer/NAME:CREATION_TIME',
  },
  {
    rule: 'a second consumer of the name is a ResourceInUseException',
    does: 'makes a second one',
    documented: 'RegisterStreamConsumer: each consumer must have a unique name',
  },
  {
    rule: 'consumers are listed page by page',
    does: 'gives all at once',
    documented: 'ListStreamConsumers: at most MaxResults, and a NextToken',
  },
  {
    rule: 'a subscription pushes what is there, with a number to continue from',
    does: 'does not know the call',
    documented: 'SubscribeToShard',
  },
  {
    rule: 'a subscription pushes what is put while it runs',
    does: 'does not know the call',
    documented: 'SubscribeToShard',
  },
  {
    rule: 'a second subscription of a consumer to a shard within five seconds is a ResourceInUseException',
    does: 'does not know the call',
    documented: 'SubscribeToShard: ResourceInUseException within five seconds',
  },
  {
    rule: 'a subscription to a closed shard ends after its records, with the children and no continuation',
    does: 'does not know the call',
    documented: 'SubscribeToShardEvent: ChildShards at the end of the shard',
  },
  {
    rule: 'a subscription of a consumer that is not there is a ResourceNotFoundException',
    does: 'does not know the call',
    documented: 'SubscribeToShard: ResourceNotFoundException',
  },
];

export const differences: readonly Difference[] = [
  ...kinesisLocal.map((row) => ({ ...row, peer: 'kinesis-local' as const })),
  ...moto.map((row) => ({ ...row, peer: 'moto' as const })),
];
