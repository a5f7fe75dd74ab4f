import { differences } from './kinesis-differences.ts';
import { fanOutRules } from './kinesis-fan-out.ts';
import { recordRules } from './kinesis-records.ts';
import { shardRules } from './kinesis-shards.ts';
import { streamRules } from './kinesis-streams.ts';
import { kinesisContract } from './support/kinesis-peers.ts';

kinesisContract([...streamRules, ...recordRules, ...shardRules, ...fanOutRules], differences);
