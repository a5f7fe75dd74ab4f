/** What is wrong with one place of a JSON document, in the words of an RFC 9457 answer. */
export interface Problem {
  /** RFC 6901; the empty text is the document itself. */
  readonly pointer: string;
  /** What is wrong and what to do about it. */
  readonly detail: string;
  readonly code: ProblemCode;
}

export type ProblemCode =
  | 'unknown-shape'
  | 'missing'
  | 'wrong-type'
  | 'wrong-format'
  | 'out-of-range'
  | 'too-long'
  | 'reserved'
  | 'conflict';

/** Problems listed per document: enough to mend one, little enough that a hostile one gets a short answer. */
export const maxProblems = 20;

export function report(problems: Problem[], pointer: string, code: ProblemCode, detail: string): void {
  if (problems.length < maxProblems) problems.push({ pointer, detail, code });
}

/** RFC 6901 section 3: `~` and `/` inside a name are written `~0` and `~1`. */
export function pointerTo(...names: readonly string[]): string {
  return names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** A value as it is shown in a message: short, on one line. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
