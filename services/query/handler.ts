import type { HttpReply, HttpRequest, Route } from '../../lib/runtime/http.ts';
import { PlatformError } from '../../lib/runtime/errors.ts';
import { HttpProblem } from '../../lib/runtime/problem.ts';
import type { AlertStore } from '../../lib/stores/alerts.ts';
import type { EventStore } from '../../lib/stores/events.ts';
import type { WindowStore } from '../../lib/stores/windows.ts';
import { listParameters } from './parameters.ts';
import { presentEvent } from './present.ts';
import type { PlatformStatus } from './status.ts';

export interface QueryPorts {
  readonly events: EventStore;
  readonly windows: WindowStore;
  readonly alerts: AlertStore;
  readonly status: (signal: AbortSignal) => Promise<PlatformStatus>;
  /** Files of the dashboard by path, e.g. `/` and `/dashboard.js`. */
  readonly pages: ReadonlyMap<string, { readonly type: string; readonly body: Uint8Array }>;
}

/** The window definition that is meant when none is named. */
const defaultDefinition = 'by-type-5m';

export function queryRoutes(ports: QueryPorts): readonly Route[] {
  return [
    get('/v1/events', (request) => listEvents(request, ports)),
    get('/v1/events/:id', (request) => getEvent(request, ports)),
    get('/v1/windows', (request) => listWindows(request, ports)),
    get('/v1/alerts', (request) => listAlerts(request, ports)),
    get('/v1/status', async (request) => json(await ports.status(request.signal))),
    get('/v1/stats', async (request) => json(statsOf(await ports.status(request.signal)))),
    ...[...ports.pages].map(([path, page]) => get(path, async () => pageReply(page))),
  ];
}

function get(path: string, handle: (request: HttpRequest) => Promise<HttpReply>): Route {
  return { method: 'GET', path, handle: (request) => orBadCursor(handle(request)) };
}

async function orBadCursor(reply: Promise<HttpReply>): Promise<HttpReply> {
  try {
    return await reply;
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== 'bad-cursor') throw error;
    throw new HttpProblem(400, 'bad-cursor', 'Bad request', error.message, { cause: error });
  }
}

function json(body: unknown, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return { status: 200, headers: { 'cache-control': 'no-store', ...headers }, body };
}

function pageReply(page: { readonly type: string; readonly body: Uint8Array }): HttpReply {
  const headers = {
    'content-type': page.type,
    'cache-control': 'no-cache',
    'content-security-policy': "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
  };
  return { status: 200, headers, body: page.body };
}

async function getEvent(request: HttpRequest, ports: QueryPorts): Promise<HttpReply> {
  const id = request.params['id'] ?? '';
  const stored = await ports.events.get(id, request.signal);
  if (stored === undefined) {
    throw new HttpProblem(
      404,
      'no-such-event',
      'Not found',
      `There is no event "${id}" (it may not be stored yet)`,
    );
  }
  return json(presentEvent(stored));
}

async function listEvents(request: HttpRequest, ports: QueryPorts): Promise<HttpReply> {
  const filter = listParameters(request.query, ['city', 'type']);
  const page = await ports.events.list(filter, request.signal);
  return paged(request, page.items.map(presentEvent), page.next_cursor);
}

async function listAlerts(request: HttpRequest, ports: QueryPorts): Promise<HttpReply> {
  const filter = listParameters(request.query, ['city', 'severity']);
  const page = await ports.alerts.list(filter, request.signal);
  return paged(request, page.items.map(presentEvent), page.next_cursor);
}

async function listWindows(request: HttpRequest, ports: QueryPorts): Promise<HttpReply> {
  const { definition = defaultDefinition, ...filter } = listParameters(request.query, [
    'definition',
    'group',
  ]);
  const page = await ports.windows.list({ definition, ...filter }, request.signal);
  return paged(request, page.items, page.next_cursor);
}

/** `Link: rel="next"` repeats the request with the cursor (RFC 8288). */
function paged(request: HttpRequest, items: readonly unknown[], cursor: string | null): HttpReply {
  const body = { items, next_cursor: cursor };
  if (cursor === null) return json(body);
  const next = new URLSearchParams(request.query);
  next.set('cursor', cursor);
  return json(body, { link: `<${request.path}?${next.toString()}>; rel="next"` });
}

/** Totals only: what became of the records, per consumer. */
function statsOf(status: PlatformStatus): Record<string, unknown> {
  return {
    as_of: status.as_of,
    consumers: Object.fromEntries(status.consumers.map((consumer) => [consumer.consumer, consumer.outcomes])),
  };
}
