import type { Faults } from '../control/faults.ts';
import type { Bucket } from '../control/limits.ts';
import { childShardsOf, continuationOf, isExhausted, millisBehindLatest } from '../operations/positions.ts';
import { isRegistered, type Granted } from '../operations/subscribe.ts';
import { shardIdOf } from '../storage/sequence-number.ts';
import type { LogPage } from '../storage/shard-log.ts';
import { eventHeaders, exceptionHeaders, renderMessage } from './event-stream.ts';
import type { Exchange } from './exchange.ts';
import { jsonFormat } from './format.ts';

export interface PushOptions {
  readonly now: () => number;
  readonly faults: Faults;
  /** Bytes per second of this subscription; undefined: as fast as they are read. */
  readonly bucket: Bucket | undefined;
  /** How long a subscription lasts; the service ends it after five minutes. */
  readonly subscriptionMs: number;
  /** An empty event says that the connection lives and how far the shard is read. */
  readonly heartbeatMs: number;
}

/** Why a push ended. */
export type PushEnd =
  | 'expired'
  | 'shard-end'
  | 'peer-gone'
  | 'cut'
  | 'taken-over'
  | 'deregistered'
  | 'stopped';

const RECORDS_PER_EVENT_MAX = 10_000;
const EVENT_BYTES_MAX = 1024 * 1024;

/** Pushes a shard's records over one exchange until something ends it. */
export class Push {
  readonly #granted: Granted;
  readonly #exchange: Exchange;
  readonly #options: PushOptions;
  readonly #contentType: string;
  readonly #eventHeaders: Buffer;
  #position: number;
  #end: PushEnd | undefined;
  #awake = false;
  #wakeUp: (() => void) | undefined;

  constructor(granted: Granted, exchange: Exchange, options: PushOptions) {
    this.#granted = granted;
    this.#exchange = exchange;
    this.#options = options;
    // The service says `application/json` of events whose request said `application/x-amz-json-1.1`.
    this.#contentType = exchange.format === jsonFormat ? 'application/json' : exchange.format.contentType;
    this.#eventHeaders = eventHeaders('SubscribeToShardEvent', this.#contentType);
    this.#position = granted.position;
  }

  /** Ends the push from outside. */
  stop(end: PushEnd): void {
    this.#end ??= end;
    this.#wake();
  }

  async run(): Promise<PushEnd> {
    const { stream, shardIndex } = this.#granted;
    const unwatch = stream.watch(shardIndex, () => this.#wake());
    const expiry = setTimeout(() => this.stop('expired'), this.#options.subscriptionMs);
    this.#exchange.onClose(() => this.stop('peer-gone'));
    this.#exchange.startStream('application/vnd.amazon.eventstream');
    this.#exchange.write(this.#message(eventHeaders('initial-response', this.#contentType), '{}'));
    try {
      while (this.#end === undefined) await this.#step();
      this.#sayGoodbye(this.#end);
      return this.#end;
    } finally {
      clearTimeout(expiry);
      unwatch();
    }
  }

  async #step(): Promise<void> {
    if (!isRegistered(this.#granted)) return this.stop('deregistered');
    const { stream, shardIndex } = this.#granted;
    if (stream.shard(shardIndex) === undefined) return this.stop('shard-end');
    const waitMs = this.#options.bucket?.waitMs(1, this.#options.now()) ?? 0;
    if (waitMs > 0) return void (await this.#sleep(waitMs));
    const page = stream.log(shardIndex).read(this.#position, RECORDS_PER_EVENT_MAX, EVENT_BYTES_MAX);
    const exhausted = isExhausted(stream, shardIndex, page);
    if (page.count === 0 && !exhausted && (await this.#sleep(this.#options.heartbeatMs))) return;
    this.#position = page.next;
    this.#options.bucket?.take(page.size);
    await this.#send(page, exhausted, this.#options.now());
    if (exhausted) this.stop('shard-end');
  }

  async #send(page: LogPage, exhausted: boolean, nowMs: number): Promise<void> {
    const { stream, shardIndex } = this.#granted;
    const continuation = exhausted
      ? 'null'
      : `"${continuationOf(stream, shardIndex, page.count === 0 ? stream.latest : page.next, nowMs)}"`;
    const children = exhausted ? `,"ChildShards":${JSON.stringify(childShardsOf(stream, shardIndex))}` : '';
    const tail = `],"ContinuationSequenceNumber":${continuation},"MillisBehindLatest":${millisBehindLatest(page, nowMs)}${children}}`;
    const parts = [Buffer.from('{"Records":['), ...page.parts, Buffer.from(tail)];
    const message = this.#message(this.#eventHeaders, parts);
    const target = {
      operation: 'SubscribeToShard',
      stream: stream.state.name,
      shardId: shardIdOf(shardIndex),
    };
    if (this.#options.faults.strike('cut-connection', target)) {
      this.#exchange.write(message.subarray(0, message.length / 2));
      return this.stop('cut');
    }
    if (!this.#exchange.write(message)) await this.#exchange.drained();
  }

  #sayGoodbye(end: PushEnd): void {
    switch (end) {
      case 'cut':
        return this.#exchange.cutSoon();
      case 'peer-gone':
        return;
      case 'taken-over':
        this.#fail('ResourceInUseException', 'Another subscription of this consumer took over the shard.');
        break;
      case 'deregistered':
        this.#fail('ResourceNotFoundException', `Consumer ${this.#granted.consumerArn} is gone.`);
        break;
      case 'expired':
      case 'shard-end':
      case 'stopped':
        break;
    }
    this.#exchange.end();
  }

  #fail(name: string, message: string): void {
    const headers = exceptionHeaders(name, this.#contentType);
    this.#exchange.write(this.#message(headers, JSON.stringify({ message })));
  }

  #message(headers: Buffer, json: string | readonly Uint8Array[]): Buffer {
    const payload = this.#exchange.format.render(json);
    return renderMessage(headers, typeof payload === 'string' ? [Buffer.from(payload)] : payload);
  }

  #wake(): void {
    this.#awake = true;
    this.#wakeUp?.();
  }

  /** True when something happened before `ms` were over. */
  #sleep(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wakeUp = undefined;
        const woken = this.#awake;
        this.#awake = false;
        resolve(woken);
      };
      const timer = setTimeout(done, ms);
      this.#wakeUp = done;
      if (this.#awake) done();
    });
  }
}
