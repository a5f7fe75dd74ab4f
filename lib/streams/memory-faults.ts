import type { Clock } from '../runtime/clock.ts';
import { KinesisError } from './kinesis-error.ts';
import type { PutOutcome } from './kinesis.ts';

export type KinesisCall =
  | 'describe'
  | 'listShards'
  | 'iterator'
  | 'read'
  | 'put'
  | 'registerConsumer'
  | 'subscribe';

/** What goes wrong with a call. */
export type Fault =
  | { readonly type: 'throttle' }
  /** The request is lost: nothing happens at the service. */
  | { readonly type: 'drop-request' }
  /** The call takes effect, its answer is lost. */
  | { readonly type: 'drop-response' }
  /** The call takes effect `ms` later. */
  | { readonly type: 'delay'; readonly ms: number }
  /** The caller is told at once that the answer was lost; the call takes effect `ms` later, after its repetition. */
  | { readonly type: 'land-late'; readonly ms: number }
  /** Entries of a put for which `fails` is true are refused, the others are stored. */
  | { readonly type: 'refuse-entries'; readonly fails: (index: number, partitionKey: string) => boolean };

export interface FaultRule {
  /** Every call by default. */
  readonly on?: KinesisCall;
  readonly stream?: string;
  /** How many calls it strikes, then it is gone; without end by default. */
  readonly times?: number;
  /** Probability with which it strikes a call that it fits; 1 by default. */
  readonly chance?: number;
  readonly fault: Fault;
}

export interface Faults {
  /** Returns the verb that takes the rule away. */
  readonly add: (rule: FaultRule) => () => void;
  readonly clear: () => void;
}

interface LiveRule {
  readonly rule: FaultRule;
  left: number;
}

/** Strikes calls by rules, in the order the rules were added; of those that fit, the first one strikes. */
export class FaultPlan implements Faults {
  #rules: LiveRule[] = [];
  readonly #clock: Clock;
  readonly #random: () => number;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  readonly add = (rule: FaultRule): (() => void) => {
    const live = { rule, left: rule.times ?? Number.POSITIVE_INFINITY };
    this.#rules.push(live);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== live);
    };
  };

  readonly clear = (): void => {
    this.#rules = [];
  };

  /** Runs `effect` as the struck (or spared) call. `refused` says which entries of a put are not stored. */
  async run<T>(
    call: KinesisCall,
    stream: string,
    signal: AbortSignal | undefined,
    effect: (refused: (index: number, partitionKey: string) => boolean) => T,
  ): Promise<T> {
    const fault = this.#strike(call, stream);
    // The call crosses a network: its caller never goes on in the same turn.
    await Promise.resolve();
    if (fault?.type === 'delay') await this.#clock.sleep(fault.ms, signal);
    signal?.throwIfAborted();
    if (fault?.type === 'throttle')
      throw new KinesisError('throttled', `${call} on ${stream}: rate exceeded`);
    if (fault?.type === 'drop-request') throw lost(call, stream, 'request');
    if (fault?.type === 'land-late') {
      void this.#land(fault.ms, effect);
      throw lost(call, stream, 'response');
    }
    const result = effect(fault?.type === 'refuse-entries' ? fault.fails : () => false);
    if (fault?.type === 'drop-response') throw lost(call, stream, 'response');
    return result;
  }

  async #land<T>(ms: number, effect: (refused: () => boolean) => T): Promise<void> {
    await this.#clock.sleep(ms);
    try {
      effect(() => false);
    } catch (error) {
      // It failed at the service, too late for anyone to be told.
      if (!(error instanceof KinesisError)) throw error;
    }
  }

  #strike(call: KinesisCall, stream: string): Fault | undefined {
    for (const live of this.#rules) {
      const { on = call, stream: only = stream, chance = 1 } = live.rule;
      if (on !== call || only !== stream || live.left <= 0) continue;
      if (chance < 1 && this.#random() >= chance) continue;
      live.left -= 1;
      return live.rule.fault;
    }
    return undefined;
  }
}

/** How the service words an entry that a shard had no room for. */
export const refusedEntry: PutOutcome = {
  ok: false,
  code: 'ProvisionedThroughputExceededException',
  message: 'Rate exceeded for shard',
};

function lost(call: KinesisCall, stream: string, what: 'request' | 'response'): KinesisError {
  return new KinesisError('kinesis-unavailable', `${call} on ${stream}: the ${what} was lost`);
}
