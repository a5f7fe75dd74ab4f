import type { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';

/**
 * Keeps the `Date` of the answer to this command: the service's clock, in whole seconds, which every HTTP answer carries
 * (RFC 9110, 6.6.1). Gives back how to ask for it; NaN before the answer, or where there is none.
 */
export function keepDate(command: DescribeStreamSummaryCommand): () => number {
  let dateMs = Number.NaN;
  command.middlewareStack.add(
    (next) => async (request) => {
      const result = await next(request);
      const { headers } = result.response as { readonly headers: Readonly<Record<string, string>> };
      dateMs = Date.parse(headers['date'] ?? '');
      return result;
    },
    { name: 'keepDate', step: 'deserialize', priority: 'low' },
  );
  return () => dateMs;
}
