import { type Event } from '../../lib/event/event.ts';
import { type ParseResult, parseEvent } from '../../lib/event/envelope.ts';
import type { ProblemDetail } from '../../lib/runtime/problem.ts';

/** Events per request: what one PutRecords call takes. */
export const maxEventsPerBatch = 500;
/** Bytes per request: what one PutRecords call takes. */
export const maxBatchBytes = 5 * 1_024 * 1_024;

export interface Accepted {
  readonly ok: true;
  readonly event: Event;
  readonly bytes: Uint8Array;
}

export interface Refused {
  readonly ok: false;
  readonly status: 413 | 422;
  readonly code: string;
  readonly problems: readonly ProblemDetail[];
}

export type Checked = Accepted | Refused;

export interface CheckOptions {
  readonly maxEventBytes: number;
  /** The request's own trace, given to events that carry none. */
  readonly traceparent: string | undefined;
  readonly encode: (event: Event) => Uint8Array;
}

/** Decides for one item of a request whether it can be accepted. `pointer` says where it stands in the body. */
export function checkItem(value: unknown, pointer: string, options: CheckOptions): Checked {
  const parsed: ParseResult = parseEvent(value);
  if (!parsed.ok) {
    const problems = parsed.problems.map((problem) => ({
      ...problem,
      pointer: `#${pointer}${problem.pointer}`,
    }));
    return { ok: false, status: 422, code: 'invalid-event', problems };
  }
  const event = withTrace(parsed.event, options.traceparent);
  const bytes = options.encode(event);
  if (bytes.length <= options.maxEventBytes) return { ok: true, event, bytes };
  const detail = `The event has ${bytes.length} bytes; at most ${options.maxEventBytes} are accepted: make its data smaller`;
  return {
    ok: false,
    status: 413,
    code: 'event-too-large',
    problems: [{ detail, pointer: `#${pointer}`, code: 'event-too-large' }],
  };
}

function withTrace(event: Event, traceparent: string | undefined): Event {
  if (event.traceparent !== undefined || traceparent === undefined) return event;
  return { ...event, traceparent };
}

/** The items of a batch body: `{"events": […]}` or a bare array. Undefined: it is neither. */
export function itemsOf(body: unknown): readonly unknown[] | undefined {
  if (Array.isArray(body)) return body;
  if (typeof body !== 'object' || body === null || !('events' in body)) return undefined;
  return Array.isArray(body.events) ? body.events : undefined;
}
