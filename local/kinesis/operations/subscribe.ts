import { ServiceError } from '../errors.ts';
import type { Stream } from '../storage/stream.ts';
import { consumerArn, shardId, startingPosition } from '../validation/members.ts';
import { parse, shape } from '../validation/rules.ts';
import type { Call } from './call.ts';
import { consumerOfArn } from './consumers.ts';
import { positionOf, shardOf } from './positions.ts';

const subscribeShape = shape({
  ConsumerARN: consumerArn,
  ShardId: shardId,
  StartingPosition: startingPosition,
});

/** The API reference: a second call within 5 s of a successful one fails, a later one takes over. */
export const TAKEOVER_AFTER_MS = 5_000;

/** A subscription as it was asked for and granted. */
export interface Granted {
  readonly stream: Stream;
  readonly consumerArn: string;
  readonly shardIndex: number;
  /** The counter from which records are pushed. */
  readonly position: number;
}

interface Taken {
  readonly sinceMs: number;
  readonly stop: (end: 'taken-over' | 'stopped') => void;
}

/** Which consumer reads which shard at the moment. */
export class Subscriptions {
  readonly #taken = new Map<string, Taken>();

  /** Throws what the service throws, ResourceInUseException included; the shard is not taken yet. */
  grant(call: Call, input: unknown): Granted {
    const read = parse(subscribeShape, input);
    const { stream, consumer } = consumerOfArn(call, read.ConsumerARN);
    if (call.nowMs < consumer.activeAtMs) {
      throw new ServiceError('ResourceInUseException', `Consumer ${consumer.arn} is CREATING, not ACTIVE.`);
    }
    const shard = shardOf(call, stream, read.ShardId);
    const position = positionOf(call, stream, shard, {
      type: read.StartingPosition.Type,
      sequenceNumber: read.StartingPosition.SequenceNumber,
      timestampMs: read.StartingPosition.Timestamp,
    });
    const granted = { stream, consumerArn: consumer.arn, shardIndex: shard.index, position };
    const taken = this.#taken.get(keyOf(granted));
    if (taken && call.nowMs - taken.sinceMs < TAKEOVER_AFTER_MS) {
      throw new ServiceError(
        'ResourceInUseException',
        `Another active subscription exists for this consumer: ${consumer.arn}, shard ${read.ShardId}.`,
      );
    }
    return granted;
  }

  /**
   * Takes the shard from whoever has it (`stop` of that one is called) and returns how to give it back. With `strict`
   * it stays taken for the rest of the 5 s, as the service does it.
   */
  take(granted: Granted, nowMs: number, strict: boolean, stop: Taken['stop']): () => void {
    const key = keyOf(granted);
    const before = this.#taken.get(key);
    const mine = { sinceMs: nowMs, stop };
    this.#taken.set(key, mine);
    before?.stop('taken-over');
    return () => {
      if (strict || this.#taken.get(key) !== mine) return;
      this.#taken.delete(key);
    };
  }

  /** For the end of the server. */
  stopAll(): void {
    for (const { stop } of this.#taken.values()) stop('stopped');
  }
}

/** Whether the consumer is still there; its stream may be deleted, or it deregistered. */
export function isRegistered({ stream, consumerArn: arn }: Granted): boolean {
  return stream.state.consumers.some((consumer) => consumer.arn === arn);
}

function keyOf({ consumerArn: arn, shardIndex }: Granted): string {
  return `${arn} ${shardIndex}`;
}
