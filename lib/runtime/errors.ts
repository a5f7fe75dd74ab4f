/**
 * The one base of every error this repository throws on purpose.
 * `code` is stable and documented; `retryable` says whether the same call may work later.
 */
export class PlatformError extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** Settings, flags or rule files that cannot be used; the message lists every problem with its fix. */
export class ConfigError extends PlatformError {
  readonly problems: readonly string[];

  constructor(what: string, problems: readonly string[]) {
    super('config', `${what}:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.problems = problems;
  }
}

/** A promise of the code itself was broken. Never caught to carry on: the process ends and leases move on. */
export class BrokenInvariant extends PlatformError {
  constructor(message: string) {
    super('broken-invariant', message);
  }
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BrokenInvariant(message);
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The name an AWS SDK error carries (`ResourceNotFoundException`), or the class name of any other error. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
