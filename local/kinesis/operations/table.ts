import type { Operation } from './call.ts';
import { deregisterConsumer, describeConsumer, listConsumers, registerConsumer } from './consumers.ts';
import { listShards } from './list-shards.ts';
import { putRecord, putRecords } from './put.ts';
import { getRecords, getShardIterator } from './read.ts';
import { mergeTwo, splitOne, updateShardCount } from './reshard.ts';
import {
  decreaseRetention,
  disableMonitoring,
  enableMonitoring,
  increaseRetention,
  startEncryption,
  stopEncryption,
  updateMaxRecordSize,
  updateStreamMode,
} from './settings.ts';
import {
  createStream,
  deleteStream,
  describeLimits,
  describeStream,
  describeStreamSummary,
  listStreams,
} from './streams.ts';
import {
  addTagsToStream,
  deleteResourcePolicy,
  getResourcePolicy,
  listTagsForResource,
  listTagsForStream,
  putResourcePolicy,
  removeTagsFromStream,
  tagResource,
  untagResource,
} from './tags.ts';

/** Every operation that answers with one document. SubscribeToShard answers with a stream of them; see subscribe.ts. */
export const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['PutRecords', putRecords],
  ['GetRecords', getRecords],
  ['PutRecord', putRecord],
  ['GetShardIterator', getShardIterator],
  ['ListShards', listShards],
  ['CreateStream', createStream],
  ['DeleteStream', deleteStream],
  ['DescribeStream', describeStream],
  ['DescribeStreamSummary', describeStreamSummary],
  ['ListStreams', listStreams],
  ['DescribeLimits', describeLimits],
  ['SplitShard', splitOne],
  ['MergeShards', mergeTwo],
  ['UpdateShardCount', updateShardCount],
  ['IncreaseStreamRetentionPeriod', increaseRetention],
  ['DecreaseStreamRetentionPeriod', decreaseRetention],
  ['StartStreamEncryption', startEncryption],
  ['StopStreamEncryption', stopEncryption],
  ['EnableEnhancedMonitoring', enableMonitoring],
  ['DisableEnhancedMonitoring', disableMonitoring],
  ['UpdateStreamMode', updateStreamMode],
  ['UpdateMaxRecordSize', updateMaxRecordSize],
  ['RegisterStreamConsumer', registerConsumer],
  ['DescribeStreamConsumer', describeConsumer],
  ['ListStreamConsumers', listConsumers],
  ['DeregisterStreamConsumer', deregisterConsumer],
  ['AddTagsToStream', addTagsToStream],
  ['RemoveTagsFromStream', removeTagsFromStream],
  ['ListTagsForStream', listTagsForStream],
  ['TagResource', tagResource],
  ['UntagResource', untagResource],
  ['ListTagsForResource', listTagsForResource],
  ['PutResourcePolicy', putResourcePolicy],
  ['GetResourcePolicy', getResourcePolicy],
  ['DeleteResourcePolicy', deleteResourcePolicy],
]);
