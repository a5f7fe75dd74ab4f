import { Readable } from 'node:stream';
import type { GetRecordsCommand, KinesisClient, SubscribeToShardCommand } from '@aws-sdk/client-kinesis';

/** What the SDK's HTTP handlers for Node give. */
export interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: Readable;
}

/**
 * The answer to a call that brings records, its body unread. The SDK signs it, sends it and understands its refusals;
 * its parser gets an empty body instead, because its way from a page of 10 MiB to records takes five copies of it, and
 * more CPU than everything else that a consumer does.
 */
export async function answerOf(
  client: KinesisClient,
  command: GetRecordsCommand | SubscribeToShardCommand,
  http: { readonly abortSignal: AbortSignal },
): Promise<Answer> {
  // One type for both: nothing here looks at input or output.
  const call = command as GetRecordsCommand;
  let answer: Answer | undefined;
  call.middlewareStack.add(
    (next) => async (request) => {
      const result = await next(request);
      const response = result.response as Answer;
      if (response.statusCode === 200) {
        answer = { ...response };
        response.body = Readable.from([]);
      }
      return result;
    },
    { name: 'keepBody', step: 'deserialize', priority: 'low' },
  );
  await client.send(call, http);
  if (answer === undefined) throw new Error('an answer that is neither a success nor an error');
  return answer;
}
