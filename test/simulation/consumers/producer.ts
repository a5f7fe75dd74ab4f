import { encodeJson } from '../../../lib/event/codec-json.ts';
import type { Event } from '../../../lib/event/event.ts';
import { hashKeyOf, inRange } from '../../../lib/streams/hash-key.ts';
import { aggregate } from '../../../lib/streams/kpl.ts';
import type { MemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { formatStamp } from '../../../lib/streams/stamp.ts';
import type { Fleet } from '../fleet.ts';
import type { RecordKind, Truth } from './truth.ts';

export const stream = 'stream';
const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
const pauseMsMax = 1_500;
const burstRecords = 40;
const aggregateRecordsMax = 8;
/** Copies are made of so many of the last events: what a writer may still have in flight. */
const copiedMax = 20;

interface Payload {
  readonly key: string;
  readonly id: string;
  readonly kind: RecordKind;
  readonly data: Uint8Array;
}

/** Puts events on the stream, plain and in aggregates, and tells the truth about each. */
export class Producer {
  readonly #fleet: Fleet;
  readonly #kinesis: MemoryKinesis;
  readonly #truth: Truth;
  readonly #garbage: boolean;
  readonly #sent: Payload[] = [];
  /** Of these, what may be put again: all of it lies on the stream. */
  #copied: readonly Payload[] = [];
  #events = 0;
  /** Everything up to this position was put before the call that is being made. */
  #floor = 0;
  #isOn = true;
  #resumed = Promise.resolve();

  constructor(fleet: Fleet, kinesis: MemoryKinesis, truth: Truth, garbage: boolean) {
    this.#fleet = fleet;
    this.#kinesis = kinesis;
    this.#truth = truth;
    this.#garbage = garbage;
  }

  async run(): Promise<void> {
    while (this.#isOn) {
      await this.#resumed;
      await this.put();
      await this.#fleet.clock.sleep(this.#fleet.pick(pauseMsMax));
    }
  }

  /** Puts nothing more until what it returns is called. */
  pause(): () => void {
    let resume = (): void => {};
    this.#resumed = new Promise((resolve) => (resume = resolve));
    return resume;
  }

  stop(): void {
    this.#isOn = false;
  }

  async put(): Promise<void> {
    const { random } = this.#fleet;
    const records = random() < 0.05 ? burstRecords : 1 + this.#fleet.pick(4);
    this.#floor = this.#events;
    this.#copied = this.#sent.slice(-copiedMax);
    const plain: Payload[] = [];
    for (let i = 0; i < records; i += 1) {
      if (random() < 0.15) await this.#putAggregate();
      else plain.push(this.#payload(this.#fleet.one(keys) ?? ''));
    }
    // Partial failures leave what is in flight in any order.
    for (let left = plain.length; left > 0; left -= 1) {
      const [payload] = plain.splice(this.#fleet.pick(left), 1);
      if (payload) await this.#putOne(payload);
    }
  }

  async #putOne({ key, id, kind, data }: Payload): Promise<void> {
    const [put] = await this.#kinesis.put(stream, [{ partitionKey: key, data }]);
    if (put?.ok !== true) throw new Error('the put was refused');
    const { sequenceNumber, shardId } = put;
    const name = kind === 'garbage' ? `${stream}/${shardId}/${sequenceNumber}/0` : id;
    this.#truth.add({
      shardId,
      position: { sequenceNumber, subSequenceNumber: 0 },
      key,
      id: name,
      kind,
      data,
    });
  }

  /** As the KPL makes them: keys of one shard; around a reshard some that are not. */
  async #putAggregate(): Promise<void> {
    const { random } = this.#fleet;
    const first = this.#fleet.one(keys) ?? '';
    const home = this.#shardOf(first);
    const isStale = random() < 0.3;
    const fitting = keys.filter((key) => isStale || this.#shardOf(key) === home);
    const payloads: Payload[] = [this.#payload(first)];
    const more = this.#fleet.pick(aggregateRecordsMax);
    for (let i = 0; i < more; i += 1) {
      const key = this.#fleet.one(fitting) ?? first;
      const id = `foreign-${this.#events}`;
      const isForeign = this.#shardOf(key) !== home;
      payloads.push(isForeign ? { key, id, kind: 'foreign', data: Buffer.from(id) } : this.#payload(key));
    }
    const data = aggregate(payloads.map((payload) => ({ partitionKey: payload.key, data: payload.data })));
    const [put] = await this.#kinesis.put(stream, [{ partitionKey: first, data }]);
    if (put?.ok !== true) throw new Error('the put was refused');
    const { sequenceNumber, shardId } = put;
    for (const [subSequenceNumber, { kind, id, ...rest }] of payloads.entries()) {
      const position = { sequenceNumber, subSequenceNumber };
      const name = kind === 'garbage' ? `${stream}/${shardId}/${sequenceNumber}/${subSequenceNumber}` : id;
      this.#truth.add({ shardId, position, id: name, kind, ...rest });
    }
  }

  #shardOf(key: string): string | undefined {
    const hash = hashKeyOf(key);
    return this.#kinesis
      .shardsOf(stream)
      .find((shard) => shard.endingSequenceNumber === undefined && inRange(hash, shard))?.shardId;
  }

  #payload(key: string): Payload {
    const chance = this.#fleet.random();
    if (this.#garbage && chance < 0.02) return { key, id: '', kind: 'garbage', data: Buffer.from('{"half') };
    if (chance < 0.1) {
      const earlier = this.#fleet.one(this.#copied.filter((sent) => sent.key === key));
      if (earlier) return { ...earlier, kind: 'repeat' };
    }
    this.#events += 1;
    const kind = chance < 0.14 ? 'poison' : chance < 0.2 ? 'flaky' : 'good';
    const id = `${kind}-${this.#events}`;
    const sent = { key, id, kind, data: this.#event(key, id) } as const;
    this.#sent.push(sent);
    return sent;
  }

  #event(key: string, id: string): Uint8Array {
    const stamp = { source: 'producer', position: BigInt(this.#events), floor: BigInt(this.#floor) };
    const event: Event = {
      id,
      source: 'simulation',
      type: 'thing',
      time: '2026-01-01T00:00:00Z',
      timeMs: Date.parse('2026-01-01T00:00:00Z'),
      subject: key,
      attributes: {},
      data: {},
    };
    return encodeJson(event, formatStamp(stamp));
  }
}
