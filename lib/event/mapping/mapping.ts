import type { Expression } from './expression.ts';
import type { TimeReader } from './time-format.ts';
import type { Path } from './path.ts';

/** How a foreign file becomes events; what flow/mappings/NAME.yaml says, checked and ready to run. */
export interface Mapping {
  readonly name: string;
  readonly what: string;
  /** Names of files that this mapping is for; `*` stands for any characters. */
  readonly files: readonly string[];
  readonly format: FileFormat;
  readonly id: Expression;
  readonly type: Expression;
  readonly subject: Expression;
  readonly source: Expression;
  readonly time: { readonly path: Path; readonly read: TimeReader };
  readonly attributes: readonly (readonly [string, Expression])[];
  /** Names of data fields that differ from those in the record. */
  readonly rename: ReadonlyMap<string, string>;
  /** Data fields that are made, in place of what is there under the name. */
  readonly set: readonly (readonly [string, Expression])[];
  readonly examples: readonly MappingExample[];
}

export type FileFormat =
  | { readonly kind: 'csv'; readonly delimiter: string; readonly columns: readonly string[] }
  | { readonly kind: 'ndjson' }
  | { readonly kind: 'geojson' }
  | { readonly kind: 'lines'; readonly pattern: RegExp };

/** The first record of `input` gives an event with at least these fields, or a problem with this text. */
export interface MappingExample {
  readonly input: string;
  readonly event: Readonly<Record<string, unknown>> | undefined;
  readonly problem: string | undefined;
}
