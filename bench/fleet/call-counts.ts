import { nowMs } from './clock.ts';

export interface CallCounts {
  /** All calls by operation. */
  readonly total: Readonly<Record<string, number>>;
  /** The most in any whole second, by operation. */
  readonly perSecondMax: Readonly<Record<string, number>>;
  /** The most GetRecords and GetShardIterator calls that one shard got in any whole second. */
  readonly perShardSecondMax: Readonly<Record<string, number>>;
}

interface Middleware {
  readonly input: unknown;
}
type Handler<A> = (args: A) => Promise<{ readonly output: object }>;
/** As much of an SDK client as counting needs. */
export interface CountedClient {
  readonly middlewareStack: {
    readonly add: (
      middleware: (
        next: Handler<Middleware>,
        context: { readonly commandName?: string },
      ) => Handler<Middleware>,
      options: { readonly step: 'initialize'; readonly name: string },
    ) => void;
  };
}

/** Counts the calls of SDK clients, retries included, as the services' limits see them. */
export class CallCounter {
  readonly #total = new Map<string, number>();
  readonly #perSecond = new PeakPerSecond();
  readonly #perShard = new PeakPerSecond();
  /** Which shard an iterator belongs to; only the newest of each is kept. */
  readonly #shardOf = new Map<string, string>();

  watch(client: CountedClient): void {
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const operation = (context.commandName ?? 'unknown').replace(/Command$/, '');
        const input = args.input as { readonly ShardId?: string; readonly ShardIterator?: string };
        const shard = input.ShardId ?? this.#shardOf.get(input.ShardIterator ?? '');
        this.#count(operation, shard);
        const answer = await next(args);
        if (shard !== undefined) this.#follow(shard, input.ShardIterator, answer.output);
        return answer;
      },
      { step: 'initialize', name: 'countCalls' },
    );
  }

  counts(): CallCounts {
    return {
      total: Object.fromEntries(this.#total),
      perSecondMax: this.#perSecond.peaks(),
      perShardSecondMax: this.#perShard.peaks(),
    };
  }

  #count(operation: string, shard: string | undefined): void {
    this.#total.set(operation, (this.#total.get(operation) ?? 0) + 1);
    this.#perSecond.add(operation, '');
    if (shard !== undefined) this.#perShard.add(operation, shard);
  }

  #follow(shard: string, used: string | undefined, output: object): void {
    const { ShardIterator, NextShardIterator } = output as Record<string, string | undefined>;
    if (used !== undefined) this.#shardOf.delete(used);
    const next = ShardIterator ?? NextShardIterator;
    if (typeof next === 'string') this.#shardOf.set(next, shard);
  }
}

class PeakPerSecond {
  readonly #peaks = new Map<string, number>();
  #second = -1;
  #now = new Map<string, number>();

  add(operation: string, of: string): void {
    const second = Math.floor(nowMs() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#now = new Map();
    }
    const key = `${operation} ${of}`;
    const count = (this.#now.get(key) ?? 0) + 1;
    this.#now.set(key, count);
    if (count > (this.#peaks.get(operation) ?? 0)) this.#peaks.set(operation, count);
  }

  peaks(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#peaks);
  }
}
