import { messageOf, PlatformError } from '../lib/runtime/errors.ts';
import type { Options } from './command.ts';

/** Where a platform answers. The defaults are those of `weir local`. */
export const queryOption = {
  query: {
    kind: 'text',
    value: 'URL',
    what: 'the query API, default $WEIR_QUERY_URL or http://127.0.0.1:4500',
  },
} as const satisfies Options;

export const ingestOption = {
  ingest: {
    kind: 'text',
    value: 'URL',
    what: 'the ingest API, default $WEIR_INGEST_URL or http://127.0.0.1:4501',
  },
} as const satisfies Options;

export function queryUrl(given: string | undefined): string {
  return given ?? process.env['WEIR_QUERY_URL'] ?? 'http://127.0.0.1:4500';
}

export function ingestUrl(given: string | undefined): string {
  return given ?? process.env['WEIR_INGEST_URL'] ?? 'http://127.0.0.1:4501';
}

const requestTimeoutMs = 60_000;

/**
 * GET of a JSON document.
 * @throws PlatformError `not-found` (404), `access-denied` (401, 403), `unreachable`, or the problem's own code
 */
export async function getJson(base: string, path: string, signal: AbortSignal): Promise<unknown> {
  const url = new URL(path, base);
  const response = await fetchOrExplain(url, {}, signal);
  if (response.ok) return response.json();
  throw await problemOf(response, url);
}

export async function fetchOrExplain(url: URL, init: RequestInit, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, {
      ...init,
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
    });
  } catch (cause) {
    if (signal.aborted) throw cause;
    const why =
      cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
    const message = `${url.origin} does not answer (${why}): is the platform running? Start it with "weir local", or name another with --query/--ingest`;
    throw new PlatformError('unreachable', message, { retryable: true, cause });
  }
}

const codes: Readonly<Record<number, string>> = {
  401: 'access-denied',
  403: 'access-denied',
  404: 'not-found',
};

export async function problemOf(response: Response, url: URL): Promise<PlatformError> {
  const text = await response.text();
  const problem = parsed(text);
  const detail = typeof problem['detail'] === 'string' ? problem['detail'] : text.slice(0, 200);
  const code =
    codes[response.status] ?? (typeof problem['code'] === 'string' ? problem['code'] : 'http-error');
  return new PlatformError(code, `${url.pathname}: ${response.status} ${detail}`, {
    retryable: response.status === 429 || response.status >= 500,
  });
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (error) {
    // Not our service but something between: its text is shown as it is.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
