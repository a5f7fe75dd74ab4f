import { expect } from 'chai';
import { callOnce } from '../../../lib/streams/aws-kinesis-call.ts';
import { kinesisErrorOf } from '../../../lib/streams/aws-kinesis-errors.ts';
import { toReadPage, toShard, toSubscriptionPage } from '../../../lib/streams/aws-kinesis-shapes.ts';
import type { KinesisError } from '../../../lib/streams/kinesis-error.ts';

function named(name: string, message = ''): Error {
  return Object.assign(new Error(message), { name });
}

async function errorOf(work: Promise<unknown>): Promise<KinesisError> {
  return work.then(
    () => expect.fail('did not fail'),
    (error: unknown) => error as KinesisError,
  );
}

describe('errors of Kinesis', () => {
  const cases: readonly (readonly [name: string, message: string, code: string, retryable: boolean])[] = [
    ['ResourceNotFoundException', 'Stream s under account 1 not found.', 'stream-not-found', false],
    [
      'ResourceNotFoundException',
      'Shard shardId-1 in stream s under account 1 does not exist',
      'shard-not-found',
      false,
    ],
    ['ExpiredIteratorException', '', 'iterator-expired', false],
    ['ProvisionedThroughputExceededException', '', 'throttled', true],
    ['LimitExceededException', '', 'throttled', true],
    ['KMSThrottlingException', '', 'throttled', true],
    ['ResourceInUseException', '', 'resource-in-use', true],
    ['InvalidArgumentException', '', 'invalid-argument', false],
    ['ValidationException', '', 'invalid-argument', false],
    ['AccessDeniedException', '', 'access-denied', false],
    ['KMSDisabledException', '', 'access-denied', false],
    ['ExpiredTokenException', '', 'kinesis-unavailable', true],
    ['CredentialsProviderError', '', 'kinesis-unavailable', true],
    ['InternalFailureException', '', 'kinesis-unavailable', true],
    ['Error', 'read ECONNRESET', 'kinesis-unavailable', true],
  ];
  for (const [name, message, code, retryable] of cases) {
    it(`${name} ${message} is ${code}, ${retryable ? 'retryable' : 'final'}`, () => {
      const cause = named(name, message);
      expect(kinesisErrorOf(cause, 'A call', false)).to.include({ code, retryable, cause });
    });
  }

  it('tell a refused place in a shard from other bad arguments', () => {
    const error = kinesisErrorOf(named('InvalidArgumentException'), 'GetShardIterator', true);
    expect(error.code).to.equal('invalid-position');
  });
});

describe('a call to Kinesis', () => {
  const options = { what: 'GetRecords of s', timeoutMs: 60_000, signal: undefined };
  const untilAborted = ({ abortSignal }: { readonly abortSignal: AbortSignal }): Promise<never> =>
    new Promise((_, reject) => {
      abortSignal.addEventListener('abort', () => reject(named('AbortError')));
    });

  it('is unavailable when the answer takes longer than its deadline', async () => {
    const error = await errorOf(callOnce({ ...options, timeoutMs: 1 }, untilAborted));
    expect(error).to.include({ code: 'kinesis-unavailable', retryable: true });
    expect(error.message).to.equal('GetRecords of s: no answer within 1 ms');
  });

  it('rejects with the reason of its signal', async () => {
    const abort = new AbortController();
    const call = errorOf(callOnce({ ...options, signal: abort.signal }, untilAborted));
    const reason = new Error('the lease is lost');
    abort.abort(reason);
    expect(await call).to.equal(reason);
  });

  it('names itself in its errors', async () => {
    const error = await errorOf(callOnce(options, () => Promise.reject(named('Error', 'socket hang up'))));
    expect(error.message).to.equal('GetRecords of s: socket hang up');
  });
});

describe('answers of Kinesis', () => {
  it('without a field that we act on are not taken for less', () => {
    expect(() =>
      toShard({ ShardId: 'a', HashKeyRange: undefined, SequenceNumberRange: undefined }, 'ListShards'),
    )
      .to.throw('ListShards: the answer is incomplete')
      .with.property('code', 'kinesis-unavailable');
  });

  it('end a shard where there is no further iterator', () => {
    expect(toReadPage({ Records: [], MillisBehindLatest: 0 }, 'GetRecords')).to.deep.equal({
      records: [],
      millisBehindLatest: 0,
      childShards: [],
    });
  });

  it('end a subscription with the children, whatever number comes with them', () => {
    const child = {
      ShardId: 'b',
      ParentShards: ['a'],
      HashKeyRange: { StartingHashKey: '0', EndingHashKey: '1' },
    };
    const event = {
      Records: [],
      ContinuationSequenceNumber: '7',
      MillisBehindLatest: 0,
      ChildShards: [child],
    };
    expect(toSubscriptionPage(event, 'SubscribeToShard')).to.deep.equal({
      records: [],
      millisBehindLatest: 0,
      childShards: [{ shardId: 'b', parents: ['a'], startingHashKey: '0', endingHashKey: '1' }],
    });
  });
});
