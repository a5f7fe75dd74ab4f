import { fanOutRules } from './kinesis-fan-out.ts';
import { recordRules } from './kinesis-records.ts';
import { shardRules } from './kinesis-shards.ts';
import { streamRules } from './kinesis-streams.ts';
import { kinesisContract, type Difference } from './support/kinesis-peers.ts';

/** Sources: the Amazon Kinesis Data Streams API Reference and Developer Guide. */
const differences: readonly Difference[] = [];

kinesisContract([...streamRules, ...recordRules, ...shardRules, ...fanOutRules], differences);
