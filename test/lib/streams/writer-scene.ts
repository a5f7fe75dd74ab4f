import { expect } from 'chai';
import { createManualClock } from '../../../lib/runtime/manual-clock.ts';
import type { Kinesis } from '../../../lib/streams/kinesis.ts';
import { createMemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { PutFailed } from '../../../lib/streams/put-failed.ts';
import { parseStamp, type Stamp } from '../../../lib/streams/stamp.ts';
import {
  createStampedWriter,
  type StampedWriterOptions,
  type WriterEvent,
} from '../../../lib/streams/stamped-writer.ts';
import type { OutgoingRecord } from '../../../lib/streams/writer.ts';
import { createRandom } from '../../support/random.ts';

export const shardId = 'shardId-000000000000';

export type Put = Kinesis['put'];

/** `around` sees the calls: `call` counts from 1. */
export function setUp({
  around = (_call, put) => put,
  ...options
}: Partial<StampedWriterOptions> & { readonly around?: (call: number, put: Put) => Put } = {}) {
  const clock = createManualClock({ startMs: 1_000 });
  const kinesis = createMemoryKinesis({ clock, random: createRandom(1) });
  kinesis.createStream('s', 1);
  const events: WriterEvent[] = [];
  let call = 0;
  const put: Put = (stream, entries) => {
    call += 1;
    return around(call, kinesis.put)(stream, entries);
  };
  const writer = createStampedWriter({
    kinesis: { ...kinesis, put },
    stream: 's',
    source: 'test',
    clock,
    random: createRandom(2),
    onEvent: (event) => events.push(event),
    ...options,
  });
  /** Moves the clock until the work is over. */
  const finish = async <T>(work: Promise<T>): Promise<T> => {
    let over = false;
    const outcome = work.finally(() => {
      over = true;
    });
    outcome.catch(() => {
      over = true;
    });
    for (let step = 0; !over && step < 10_000; step += 1) await clock.advance(10);
    return outcome;
  };
  const stored = () =>
    kinesis.recordsOf('s', shardId).map((record) => {
      const [name = '', stamp = ''] = Buffer.from(record.data).toString().split(' ');
      return { name, stamp: parseStamp(stamp) as Stamp };
    });
  const names = () => stored().map(({ name }) => name);
  const calls = () => events.flatMap((event) => (event.type === 'put' ? [event.records] : []));
  return { clock, kinesis, writer, events, finish, stored, names, calls };
}

/** `a1` has the key `a`. */
export function record(name: string, position?: bigint): OutgoingRecord {
  return {
    partitionKey: name.slice(0, 1),
    encode: (stamp) => Buffer.from(`${name} ${stamp}`),
    ...(position !== undefined && { position }),
  };
}

export function records(...names: string[]): readonly OutgoingRecord[] {
  return names.map((name) => record(name));
}

export async function failureOf(work: Promise<unknown>): Promise<PutFailed> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(PutFailed);
  return error as PutFailed;
}

export function codes(failure: PutFailed): readonly string[] {
  return failure.outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.code));
}
