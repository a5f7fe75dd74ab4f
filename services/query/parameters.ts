import { isInstant, parseTime } from '../../lib/event/time.ts';
import { HttpProblem, type ProblemDetail } from '../../lib/runtime/problem.ts';
import { pageRows } from '../../lib/stores/page.ts';

/** What every list takes: `from` and `to` (event time, half-open), `order`, `limit`, `cursor`. */
export interface ListParameters {
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
  readonly cursor?: string;
}

/** Texts a list may be narrowed by, e.g. `city`. */
export type Filters<F extends string> = { readonly [K in F]?: string };

const common = ['from', 'to', 'order', 'limit', 'cursor'] as const;

/** @throws HttpProblem 400 that names every parameter that cannot be used */
export function listParameters<const F extends string>(
  query: URLSearchParams,
  filters: readonly F[],
): ListParameters & Filters<F> {
  const problems: ProblemDetail[] = [];
  const known: readonly string[] = [...common, ...filters];
  for (const name of new Set(query.keys())) {
    if (!known.includes(name))
      problems.push({ detail: `${name} is not known here: give ${known.join(', ')}` });
  }
  const values = {
    fromMs: timeOf(query, 'from', problems),
    toMs: timeOf(query, 'to', problems),
    order: orderOf(query, problems),
    limit: limitOf(query, problems),
    cursor: query.get('cursor') ?? undefined,
    ...Object.fromEntries(filters.map((name) => [name, query.get(name) ?? undefined])),
  };
  if (problems.length > 0) {
    throw new HttpProblem(400, 'bad-parameters', 'Bad request', 'Some parameters cannot be used', {
      errors: problems,
    });
  }
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as ListParameters & Filters<F>;
}

function timeOf(query: URLSearchParams, name: string, problems: ProblemDetail[]): number | undefined {
  const given = query.get(name);
  if (given === null) return undefined;
  const parsed = parseTime(given);
  if (isInstant(parsed)) return parsed.ms;
  problems.push({ detail: `${name}=${given} ${parsed.problem}` });
  return undefined;
}

function orderOf(query: URLSearchParams, problems: ProblemDetail[]): 'asc' | 'desc' | undefined {
  const given = query.get('order');
  if (given === null) return undefined;
  if (given === 'asc' || given === 'desc') return given;
  problems.push({ detail: `order=${given}: give asc or desc` });
  return undefined;
}

function limitOf(query: URLSearchParams, problems: ProblemDetail[]): number | undefined {
  const given = query.get('limit');
  if (given === null) return undefined;
  const limit = Number(given);
  if (Number.isInteger(limit) && limit >= 1 && limit <= pageRows.max) return limit;
  problems.push({ detail: `limit=${given}: give a whole number, 1 … ${pageRows.max}` });
  return undefined;
}
