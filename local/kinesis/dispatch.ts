import type { Log } from '../../lib/runtime/log.ts';
import { messageOf } from '../../lib/runtime/errors.ts';
import { answerAdmin } from './admin.ts';
import type { FaultTarget } from './control/faults.ts';
import { ServiceError } from './errors.ts';
import { nameFromArn, type Call, type Operation, type Reply } from './operations/call.ts';
import type { Granted, Subscriptions } from './operations/subscribe.ts';
import { operations } from './operations/table.ts';
import { shardIdOf } from './storage/sequence-number.ts';
import { parseIterator } from './tokens.ts';
import { isObject } from './validation/rules.ts';
import type { Exchange } from './wire/exchange.ts';
import { parseInput } from './wire/format.ts';
import { Push, type PushOptions } from './wire/push.ts';

const TARGET_PREFIX = 'Kinesis_20131202.';
/** These throttle record by record; see operations/put.ts. */
const PUTS = new Set(['PutRecord', 'PutRecords']);
/** The service has one name for exceeding a shard's throughput and another for calling too often. */
const SHARD_READS = new Set(['GetRecords', 'GetShardIterator']);

export interface Dispatch {
  readonly call: () => Call;
  readonly subscriptions: Subscriptions;
  readonly push: Omit<PushOptions, 'bucket' | 'faults'>;
  readonly log: Log;
}

/** Answers one request, whatever it is; never rejects. */
export async function dispatch(to: Dispatch, exchange: Exchange): Promise<void> {
  try {
    if (exchange.path.startsWith('/_weir/')) return await answerAdmin(to.call(), exchange);
    await answer(to, exchange);
  } catch (error) {
    refuse(to, exchange, error);
  }
}

async function answer(to: Dispatch, exchange: Exchange): Promise<void> {
  const operation = operationOf(exchange);
  const input = parseInput(exchange.format, await exchange.body());
  const target = to.call().faults.list().length === 0 ? undefined : targetOf(operation, input);
  if (target && (await struckBefore(to.call(), target, exchange))) return;
  if (operation === 'SubscribeToShard') return subscribe(to, exchange, input);
  const run = operations.get(operation);
  if (!run) throw new ServiceError('UnknownOperationException', `There is no operation ${operation}.`);
  send(to, exchange, target, run, input);
}

function send(
  to: Dispatch,
  exchange: Exchange,
  target: FaultTarget | undefined,
  run: Operation,
  input: unknown,
): void {
  const call = to.call();
  const reply: Reply = run(call, input);
  if (target && call.faults.strike('drop-response', target)) return exchange.cut();
  if (target && call.faults.strike('cut-connection', target)) return exchange.replyInHalf(reply);
  exchange.reply(200, reply);
}

/** True when the connection is cut and there is nothing more to do. Throws where the call is throttled. */
async function struckBefore(call: Call, target: FaultTarget, exchange: Exchange): Promise<boolean> {
  const delay = call.faults.strike('delay', target);
  if (delay) await new Promise((resolve) => setTimeout(resolve, delay.delayMs ?? 0));
  if (call.faults.strike('drop-request', target)) {
    exchange.cut();
    return true;
  }
  if (!PUTS.has(target.operation) && call.faults.strike('throttle', target)) {
    const name = SHARD_READS.has(target.operation)
      ? 'ProvisionedThroughputExceededException'
      : 'LimitExceededException';
    throw new ServiceError(name, `Rate exceeded for ${target.operation} (a fault that was asked for).`);
  }
  return false;
}

async function subscribe(to: Dispatch, exchange: Exchange, input: unknown): Promise<void> {
  const call = to.call();
  const granted = to.subscriptions.grant(call, input);
  if (call.faults.strike('drop-response', subscriptionTarget(granted))) return exchange.cut();
  const bucket = call.throughput.fanOutBucket(call.nowMs);
  const push = new Push(granted, exchange, { ...to.push, faults: call.faults, bucket });
  const release = to.subscriptions.take(granted, call.nowMs, call.settings.strict, (end) => push.stop(end));
  try {
    await push.run();
  } finally {
    release();
  }
}

function operationOf(exchange: Exchange): string {
  const target = exchange.header('x-amz-target') ?? '';
  if (exchange.method !== 'POST' || !target.startsWith(TARGET_PREFIX)) {
    throw new ServiceError(
      'UnknownOperationException',
      'Send POST with X-Amz-Target: Kinesis_20131202.<operation>.',
    );
  }
  return target.slice(TARGET_PREFIX.length);
}

function refuse(to: Dispatch, exchange: Exchange, error: unknown): void {
  // A peer that went away while it sent its request is no failure, and there is nobody to tell.
  if (exchange.gone) return;
  const known = error instanceof ServiceError;
  if (!known) to.log.error('The Kinesis stand-in failed at a request', { error });
  if (exchange.started) return exchange.cut();
  const shown = known
    ? error
    : new ServiceError('InternalFailure', `Internal Service Failure: ${messageOf(error)}`);
  const body = JSON.stringify({ __type: shown.errorName, message: shown.message });
  exchange.reply(shown.status, body);
}

/** The stream and shard that a request is about, as far as the request says it. */
function targetOf(operation: string, input: unknown): FaultTarget {
  if (!isObject(input)) return { operation };
  const texts = (name: string): string | undefined => {
    const value = input[name];
    return typeof value === 'string' ? value : undefined;
  };
  const iterator = parseIterator(texts('ShardIterator') ?? '');
  if (iterator) return { operation, stream: iterator.stream, shardId: shardIdOf(iterator.shardIndex) };
  const arn = texts('StreamARN') ?? texts('ConsumerARN') ?? texts('ResourceARN');
  const stream = texts('StreamName') ?? (arn === undefined ? undefined : nameFromArn(arn));
  return { operation, stream, shardId: texts('ShardId') };
}

function subscriptionTarget({ stream, shardIndex }: Granted): FaultTarget {
  return { operation: 'SubscribeToShard', stream: stream.state.name, shardId: shardIdOf(shardIndex) };
}
