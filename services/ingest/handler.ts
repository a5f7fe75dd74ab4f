import type { Event } from '../../lib/event/event.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { messageOf } from '../../lib/runtime/errors.ts';
import type { HttpReply, HttpRequest, Route } from '../../lib/runtime/http.ts';
import { HttpProblem } from '../../lib/runtime/problem.ts';
import type { IdempotencyTable } from '../../lib/stores/idempotency.ts';
import { PutFailed } from '../../lib/streams/stamped-writer.ts';
import type { OutgoingRecord, PutReceipt, StampedWriter } from '../../lib/streams/writer.ts';
import {
  type Accepted,
  type Checked,
  checkItem,
  itemsOf,
  maxBatchBytes,
  maxEventsPerBatch,
} from './accept.ts';
import { fingerprintOf, inFlightMs, judgeKey, keptForMs, maxKeyLength } from './idempotency.ts';

/** Requests that wait for Kinesis at once; more are told to come back, so that memory stays bounded. */
const maxRequestsInFlight = 64;

export interface IngestPorts {
  readonly stream: string;
  readonly writer: StampedWriter;
  readonly idempotency: IdempotencyTable;
  readonly clock: Clock;
  readonly maxEventBytes: number;
  /** Bytes of the event as it lies on the stream, with the stamp inside where one is given. */
  readonly encode: (event: Event, stamp?: string) => Uint8Array;
  readonly onEvents: (outcome: 'accepted' | 'refused' | 'failed', count: number) => void;
}

/** What a client gets for each event. `receipt` is given only after Kinesis acknowledged the record. */
interface ItemAnswer {
  readonly status: number;
  readonly receipt?: {
    readonly event_id: string;
    readonly stream: string;
    readonly shard: string;
    readonly sequence_number: string;
  };
  readonly code?: string;
  readonly errors?: readonly object[];
}

export function ingestRoutes(ports: IngestPorts): readonly Route[] {
  let inFlight = 0;
  const limited = async (request: HttpRequest, work: () => Promise<Answer>): Promise<HttpReply> => {
    if (inFlight >= maxRequestsInFlight) throw busy('Too many requests wait for the stream');
    inFlight += 1;
    try {
      return await withIdempotency(request, ports, work);
    } finally {
      inFlight -= 1;
    }
  };
  return [
    {
      method: 'POST',
      path: '/v1/events',
      maxBodyBytes: ports.maxEventBytes + 65_536,
      handle: (request) => limited(request, () => acceptOne(request, ports)),
    },
    {
      method: 'POST',
      path: '/v1/events:batch',
      maxBodyBytes: Math.max(maxBatchBytes, ports.maxEventBytes + 65_536),
      handle: (request) => limited(request, () => acceptBatch(request, ports)),
    },
  ];
}

/** A settled reply is the last word on every event of the request; otherwise the client is to send it again. */
interface Answer {
  readonly reply: HttpReply;
  readonly settled: boolean;
}

async function acceptOne(request: HttpRequest, ports: IngestPorts): Promise<Answer> {
  const value = parseJson(request);
  const checked = checkItem(value, '', checkOptions(request, ports));
  const [answer] = await putAll([checked], ports);
  if (answer?.receipt) return { reply: { status: 202, body: answer.receipt }, settled: true };
  if (answer?.status === 503) throw busy('The stream did not take the event');
  const status = answer?.status ?? 500;
  throw new HttpProblem(status, answer?.code ?? 'internal', 'Event refused', 'The event was not accepted', {
    errors: checked.ok ? [] : checked.problems,
  });
}

async function acceptBatch(request: HttpRequest, ports: IngestPorts): Promise<Answer> {
  const given = parseJson(request);
  const items = itemsOf(given);
  if (items === undefined) {
    throw new HttpProblem(422, 'no-events', 'Not a batch', 'Send {"events": […]} or an array of events');
  }
  if (items.length === 0 || items.length > maxEventsPerBatch) {
    const detail = `A batch has 1 … ${maxEventsPerBatch} events, this one has ${items.length}`;
    throw new HttpProblem(items.length === 0 ? 422 : 413, 'batch-size', 'Batch refused', detail);
  }
  const prefix = Array.isArray(given) ? '' : '/events';
  const options = checkOptions(request, ports);
  const answers = await putAll(
    items.map((item, index) => checkItem(item, `${prefix}/${index}`, options)),
    ports,
  );
  const accepted = answers.filter((answer) => answer.status === 202).length;
  if (answers.every((answer) => answer.status === 503)) throw busy('The stream took none of the events');
  const body = { accepted, refused: answers.length - accepted, items: answers };
  return {
    reply: { status: accepted === answers.length ? 202 : 207, body },
    settled: answers.every((answer) => answer.status !== 503),
  };
}

function checkOptions(request: HttpRequest, ports: IngestPorts) {
  const given = request.headers['traceparent'];
  return {
    maxEventBytes: ports.maxEventBytes,
    traceparent: typeof given === 'string' ? given : undefined,
    encode: (event: Event) => ports.encode(event),
  };
}

async function putAll(checked: readonly Checked[], ports: IngestPorts): Promise<readonly ItemAnswer[]> {
  const accepted = checked.filter((item): item is Accepted => item.ok);
  const receipts = await putAccepted(accepted, ports);
  let next = 0;
  const answers = checked.map((item): ItemAnswer => {
    if (!item.ok) return { status: item.status, code: item.code, errors: item.problems };
    const receipt = receipts[next++];
    if (receipt === undefined) return { status: 503, code: 'stream-unavailable' };
    return {
      status: 202,
      receipt: {
        event_id: item.event.id,
        stream: ports.stream,
        shard: receipt.shardId,
        sequence_number: receipt.sequenceNumber,
      },
    };
  });
  const got = receipts.filter((receipt) => receipt !== undefined).length;
  ports.onEvents('accepted', got);
  ports.onEvents('failed', accepted.length - got);
  ports.onEvents('refused', checked.length - accepted.length);
  return answers;
}

/** Per event its receipt, undefined where Kinesis did not take it within the writer's limits. */
async function putAccepted(
  accepted: readonly Accepted[],
  ports: IngestPorts,
): Promise<readonly (PutReceipt | undefined)[]> {
  if (accepted.length === 0) return [];
  const records = accepted.map(
    ({ event }): OutgoingRecord => ({
      partitionKey: event.subject,
      encode: (stamp) => ports.encode(event, stamp),
    }),
  );
  try {
    return await ports.writer.put(records);
  } catch (error) {
    if (!(error instanceof PutFailed)) throw error;
    return error.outcomes.map((outcome) => (outcome.ok ? outcome.receipt : undefined));
  }
}

function parseJson(request: HttpRequest): unknown {
  const type = request.headers['content-type'] ?? 'application/json';
  if (!/^application\/([a-z.-]+\+)?json\b/i.test(type)) {
    throw new HttpProblem(415, 'not-json', 'Unsupported media type', `Send application/json, not ${type}`);
  }
  try {
    return JSON.parse(request.body.toString('utf8'));
  } catch (cause) {
    throw new HttpProblem(400, 'bad-json', 'Bad request', `The body is not JSON: ${messageOf(cause)}`, {
      cause,
    });
  }
}

async function withIdempotency(
  request: HttpRequest,
  ports: IngestPorts,
  work: () => Promise<Answer>,
): Promise<HttpReply> {
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string') return (await work()).reply;
  if (key.length === 0 || key.length > maxKeyLength) {
    throw new HttpProblem(
      400,
      'bad-idempotency-key',
      'Bad request',
      `Idempotency-Key has 1 … ${maxKeyLength} characters`,
    );
  }
  const fingerprint = fingerprintOf(request.path, request.body);
  const nowMs = ports.clock.now();
  const found = await ports.idempotency.claim(key, { fingerprint, untilMs: nowMs + inFlightMs }, nowMs);
  const verdict = judgeKey(found, fingerprint, nowMs);
  switch (verdict.type) {
    case 'go':
      return answerOnce(key, fingerprint, ports, work);
    case 'replay':
      return {
        status: verdict.status,
        headers: { 'content-type': 'application/json', 'idempotency-replayed': 'true' },
        body: verdict.body,
      };
    case 'busy':
      throw new HttpProblem(
        409,
        'in-flight',
        'Conflict',
        'A request with this Idempotency-Key is still in flight',
        {
          headers: { 'retry-after': String(Math.max(1, Math.ceil(verdict.retryAfterMs / 1_000))) },
        },
      );
    case 'other-body':
      throw new HttpProblem(
        422,
        'key-reused',
        'Idempotency-Key reused',
        'This Idempotency-Key came with another body',
      );
  }
}

async function answerOnce(
  key: string,
  fingerprint: string,
  ports: IngestPorts,
  work: () => Promise<Answer>,
): Promise<HttpReply> {
  const answer = await work().catch(async (error: unknown) => {
    await ports.idempotency.remove(key, fingerprint);
    throw error;
  });
  const { reply } = answer;
  if (answer.settled) {
    const stored = { status: reply.status, body: JSON.stringify(reply.body) };
    const untilMs = ports.clock.now() + keptForMs;
    await ports.idempotency.put(key, { fingerprint, untilMs, answer: stored });
  } else {
    await ports.idempotency.remove(key, fingerprint);
  }
  return reply;
}

function busy(detail: string): HttpProblem {
  return new HttpProblem(503, 'stream-unavailable', 'Try again', detail, { headers: { 'retry-after': '1' } });
}
