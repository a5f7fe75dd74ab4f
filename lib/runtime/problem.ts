import { PlatformError } from './errors.ts';

/** One thing that is wrong with a request; `pointer` is a JSON pointer (RFC 6901) into its body, `#/…`. */
export interface ProblemDetail {
  readonly detail: string;
  readonly pointer?: string;
  readonly code?: string;
}

/** An answer in the form of RFC 9457 (`application/problem+json`). Throw it from any route. */
export class HttpProblem extends PlatformError {
  readonly status: number;
  readonly title: string;
  readonly errors: readonly ProblemDetail[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    title: string,
    detail: string,
    options: {
      readonly errors?: readonly ProblemDetail[];
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(code, detail, { retryable: status === 429 || status === 503, cause: options.cause });
    this.status = status;
    this.title = title;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }
}

/** The body of the answer. `instance` names this very occurrence: the request id that is in the log too. */
export function problemBody(problem: HttpProblem, instance: string): Record<string, unknown> {
  return {
    type: `urn:weir:problem:${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    instance,
    code: problem.code,
    ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
  };
}
