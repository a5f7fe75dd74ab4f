import { hashKeyOf, inRange } from '../streams/hash-key.ts';
import type { RawRecord } from '../streams/kinesis.ts';
import { deaggregate } from '../streams/kpl.ts';
import { comparePositions, type Position } from '../streams/position.ts';
import type { ShardDiagnostic } from './diagnostics.ts';
import type { StreamRecord } from './processor.ts';
import type { HashRange } from './shard-ranges.ts';

/**
 * Makes user records of what a shard yields: takes KPL aggregates apart, leaves out user records whose hash key is
 * outside the shard's range (an aggregate made before a reshard; their own shard is not this one) and everything up
 * to the last position, because reading starts AT a record.
 */
export function userRecords(shard: {
  readonly stream: string;
  readonly shardId: string;
  readonly after: Position | undefined;
  readonly range: () => Promise<HashRange>;
  readonly report: (diagnostic: ShardDiagnostic) => void;
}): (records: readonly RawRecord[]) => Promise<readonly StreamRecord[]> {
  const { stream, shardId } = shard;
  let last = shard.after;
  return async (records) => {
    const taken: StreamRecord[] = [];
    // Kept only at the end: when the range cannot be had, the same records are given again.
    let seen = last;
    for (const raw of records) {
      const users = deaggregate(raw);
      const aggregated = users.length !== 1 || users[0]?.data !== raw.data;
      const range = aggregated ? await shard.range() : undefined;
      for (const user of users) {
        const { subSequenceNumber, partitionKey, explicitHashKey, data } = user;
        const position = { sequenceNumber: raw.sequenceNumber, subSequenceNumber };
        if (seen && comparePositions(position, seen) <= 0) continue;
        seen = position;
        if (range && !inRange(hashKeyOf(partitionKey, explicitHashKey), range)) {
          shard.report({ type: 'foreign-user-record', position });
          continue;
        }
        const { arrivedAtMs } = raw;
        const record = { stream, shardId, position, partitionKey, data, arrivedAtMs };
        taken.push(explicitHashKey === undefined ? record : { ...record, explicitHashKey });
      }
    }
    last = seen;
    return taken;
  };
}
