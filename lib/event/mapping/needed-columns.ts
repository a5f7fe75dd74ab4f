import type { Expression } from './expression.ts';
import type { Mapping } from './mapping.ts';
import type { Path } from './path.ts';

/**
 * Columns without which a CSV file is not the kind that the mapping is for: all that are named without a
 * default.
 */
export function neededColumns(mapping: Mapping): readonly string[] {
  const { id, type, subject, source, time, attributes, rename, set } = mapping;
  const expressions = [id, type, subject, source, ...[...attributes, ...set].map(([, value]) => value)];
  const paths = [time.path, ...expressions.flatMap(neededPaths)];
  return [...new Set([...paths.map(({ names }) => names[0] ?? ''), ...rename.keys()])];
}

function neededPaths(expression: Expression): readonly Path[] {
  switch (expression.kind) {
    case 'template':
      return expression.parts.flatMap((part) => (part.kind === 'path' ? [part.path] : []));
    case 'from':
      return expression.otherwise === undefined ? [expression.path] : [];
    case 'join':
    case 'multiply':
      return expression.paths;
    case 'choose':
      return expression.cases.flatMap(({ when, is }) => [
        ...when.map(({ path }) => path),
        ...neededPaths(is),
      ]);
  }
}
