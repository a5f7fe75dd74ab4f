import {
  complain,
  entriesOf,
  fieldsOf,
  isMapping,
  itemsOf,
  numberOf,
  oneOf,
  type Place,
  textOf,
  textsOf,
} from '../rule-file.ts';
import type { Band, Case, Expression, Step, TemplatePart, Test, ValueMap } from './expression.ts';
import { parsePath } from './path.ts';

const verbs = ['from', 'join', 'multiply', 'choose'] as const;

/**
 * How a mapping file says a value:
 *   a text                        constant; `${path}` is the value there, `${#}` the number of the record
 *   from: path                    the value there, then at most one of
 *     as: text|number|boolean       its type
 *     map: {text: text}             `Prefix*` and `*` are taken, too
 *     bands: [{below, is}, {is}]    by size
 *     before these split: ', ' with part: 1; and `default`, which stands for an absent value
 *   join: [paths], with: ' '      those that are there
 *   multiply: [paths]             exact, as decimals
 *   choose: [{when, is}, {is}]    the first whose tests all pass
 */
export function readExpression(place: Place): Expression {
  if (!isMapping(place.value)) return { kind: 'template', parts: readTemplate(textOf(place)) };
  const { value } = place;
  const verb = verbs.find((name) => Object.hasOwn(value, name));
  switch (verb) {
    case 'from':
      return readFrom(place);
    case 'join': {
      const fields = fieldsOf(place, ['join', 'with']);
      const paths = textsOf(fields['join']).map(parsePath);
      return { kind: 'join', paths, with: textOf(fields['with']) };
    }
    case 'multiply': {
      const { multiply } = fieldsOf(place, ['multiply']);
      return { kind: 'multiply', paths: textsOf(multiply).map(parsePath) };
    }
    case 'choose': {
      const { choose } = fieldsOf(place, ['choose']);
      return { kind: 'choose', cases: itemsOf(choose).map(readCase) };
    }
    case undefined:
      complain(place, 'says no value: use a text, from, join, multiply or choose');
      return { kind: 'template', parts: [] };
  }
}

export function readTemplate(text: string): readonly TemplatePart[] {
  return text
    .split(/(\$\{[^}]*\})/)
    .filter((piece) => piece !== '')
    .map((piece) => {
      if (piece === '${#}') return { kind: 'line' };
      const path = /^\$\{(.*)\}$/.exec(piece)?.[1];
      return path === undefined ? { kind: 'text', text: piece } : { kind: 'path', path: parsePath(path) };
    });
}

function readFrom(place: Place): Expression {
  const fields = fieldsOf(place, ['from'], ['split', 'part', 'as', 'map', 'bands', 'default']);
  const { from, split, part, as, map, bands } = fields;
  const steps = [as, map, bands].filter((step) => step !== undefined);
  if (steps.length > 1) complain(place, 'has more than one of as, map and bands: keep one');
  if ((split === undefined) !== (part === undefined)) complain(place, 'split and part (from 1) go together');
  if (part && !(Number.isInteger(part.value) && Number(part.value) >= 1)) {
    complain(part, 'must be a whole number from 1');
  }
  return {
    kind: 'from',
    path: parsePath(textOf(from)),
    split: split && part && { at: textOf(split), part: Number(part.value) },
    step: readStep(as, map, bands),
    otherwise: fields['default']?.value,
  };
}

function readStep(as: Place | undefined, map: Place | undefined, bands: Place | undefined): Step {
  if (as !== undefined) return { kind: 'as', type: oneOf(as, ['text', 'number', 'boolean']) };
  if (map !== undefined) return { kind: 'map', map: readMap(map) };
  if (bands !== undefined) return { kind: 'bands', bands: readBands(bands) };
  return { kind: 'keep' };
}

function readMap(place: Place): ValueMap {
  const entries = entriesOf(place).map(([key, value]) => [key, textOf(value)] as const);
  const prefixes = entries.filter(([key]) => key.endsWith('*') && key !== '*');
  return {
    exact: new Map(entries.filter(([key]) => !key.endsWith('*'))),
    prefixes: prefixes.map(([key, value]) => [key.slice(0, -1), value] as const),
    otherwise: entries.find(([key]) => key === '*')?.[1],
  };
}

function readBands(place: Place): readonly Band[] {
  const items = itemsOf(place);
  const bands = items.map((item, i) => {
    const last = i === items.length - 1;
    const { below, is } = fieldsOf(item, last ? ['is'] : ['below', 'is']);
    return { below: last ? Number.POSITIVE_INFINITY : numberOf(below), is: textOf(is) };
  });
  const rising = bands.every((band, i) => i === 0 || band.below > (bands[i - 1]?.below ?? 0));
  if (!rising || bands.length === 0) complain(place, 'must list rising limits, the last entry without below');
  return bands;
}

function readCase(place: Place): Case {
  const { when, is } = fieldsOf(place, ['is'], ['when']);
  const none: Expression = { kind: 'template', parts: [] };
  return { when: when ? entriesOf(when).map(readTest) : [], is: is ? readExpression(is) : none };
}

function readTest([name, place]: readonly [string, Place]): Test {
  const path = parsePath(name);
  if (isMapping(place.value)) {
    const { above, below } = fieldsOf(place, [], ['above', 'below']);
    if (!above && !below) complain(place, 'tests nothing: give above, below, or both');
    return {
      kind: 'number',
      path,
      above: above ? numberOf(above) : Number.NEGATIVE_INFINITY,
      below: below ? numberOf(below) : Number.POSITIVE_INFINITY,
    };
  }
  const texts = textsOf(place);
  return {
    kind: 'text',
    path,
    exact: new Set(texts.filter((text) => !text.endsWith('*'))),
    prefixes: texts.filter((text) => text.endsWith('*')).map((text) => text.slice(0, -1)),
  };
}
