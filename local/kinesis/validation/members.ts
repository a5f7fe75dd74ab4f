import { integer, oneOf, optional, shape, text, textMap, timestampMs } from './rules.ts';

/** Members that several operations have, with the constraints of the service's API reference. */
export const streamName = text({ min: 1, max: 128, pattern: /^[a-zA-Z0-9_.-]+$/ });
export const streamArn = text({ min: 1, max: 2048, pattern: /^arn:aws.*:kinesis:.*:\d{12}:stream\/\S+$/ });
export const consumerArn = text({
  min: 1,
  max: 2048,
  pattern: /^arn:aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+$/,
});
export const resourceArn = text({
  min: 1,
  max: 2048,
  pattern: /^arn:aws.*:kinesis:.*:\d{12}:.*stream\/\S+$/,
});
export const consumerName = streamName;
export const shardId = text({ min: 1, max: 128, pattern: /^[a-zA-Z0-9_.-]+$/ });
export const hashKey = text({ pattern: /^(?:0|[1-9]\d{0,38})$/ });
export const sequenceNumber = text({ pattern: /^(?:0|[1-9]\d{0,128})$/ });
export const pageToken = text({ min: 1, max: 1_048_576 });
export const shardCount = integer(1, 2_147_483_647);
export const keyId = text({ min: 1, max: 2048 });
export const tagKey = text({ min: 1, max: 128 });
export const tagValue = text({ max: 256 });
/** The API reference: "A set of up to 50 key-value pairs". */
export const TAGS_MAX = 50;
export const tags = textMap(tagKey, tagValue, 200);

/** Either name or ARN says which stream is meant; operations spread these into their shapes. */
export const streamRef = { StreamName: optional(streamName), StreamARN: optional(streamArn) } as const;

export const streamMode = shape({ StreamMode: oneOf(['PROVISIONED', 'ON_DEMAND']) });

export const positionTypes = [
  'AFTER_SEQUENCE_NUMBER',
  'AT_SEQUENCE_NUMBER',
  'AT_TIMESTAMP',
  'LATEST',
  'TRIM_HORIZON',
] as const;

export const startingPosition = shape({
  Type: oneOf(positionTypes),
  SequenceNumber: optional(sequenceNumber),
  Timestamp: optional(timestampMs),
});
