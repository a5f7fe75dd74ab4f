import { expect } from 'chai';
import type { Event } from '../../../../lib/event/event.ts';
import { mappingFor } from '../../../../lib/event/mapping/load-mappings.ts';
import { failedMappingExamples } from '../../../../lib/event/mapping/mapping-examples.ts';
import { mapRecord } from '../../../../lib/event/mapping/map-record.ts';
import { parseMapping } from '../../../../lib/event/mapping/parse-mapping.ts';
import { ConfigError } from '../../../../lib/runtime/errors.ts';

function mappingText(parts: Readonly<Record<string, string>>): string {
  const {
    format = 'ndjson',
    id = "'${ref}'",
    type = 't',
    time = '{ from: at, format: epoch-ms }',
    more = '',
    rest = '',
  } = parts;
  return `
what: a test
files: ['x*']
format: ${format}
event:
  id: ${id}
  source: /x
  type: ${type}
  time: ${time}
  subject: s
  ${more}
${rest}
`;
}

function problemsOf(text: string): string {
  try {
    parseMapping(text, 'x');
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
}

/** What the expression `type` makes of a row. */
function typeOf(expression: string, row: object): string {
  const mapping = parseMapping(mappingText({ type: expression }), 'x');
  const mapped = mapRecord(mapping, { row: { ref: 'a', at: 0, ...row }, line: 7 });
  return mapped.ok ? mapped.event.type : `${mapped.problem.field} ${mapped.problem.detail}`;
}

function dataOf(data: string, row: object): unknown {
  const mapping = parseMapping(mappingText({ rest: `data: ${data}` }), 'x');
  const mapped = mapRecord(mapping, { row: { ref: 'a', at: 0, ...row }, line: 7 });
  return mapped.ok ? mapped.event.data : `${mapped.problem.field} ${mapped.problem.detail}`;
}

describe('an expression', () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ["'${id.orig_h}'", { 'id.orig_h': 'dotted' }, 'dotted'],
    ["'${/id/orig_h}'", { id: { orig_h: 'nested' } }, 'nested'],
    ["'${/a~1b/0}'", { 'a/b': ['first'] }, 'first'],
    ["'${x}-${#}'", { x: 1 }, '1-7'],
    ["'${x}'", { x: {} }, 'type needs "x", which is {} and no single value'],
    ["'${toString}'", {}, 'type needs "toString", which is absent'],
    ['{ from: x, default: none }', { x: '' }, 'none'],
    ['{ from: x, default: none }', { x: null }, 'none'],
    ['{ from: x, default: none }', {}, 'none'],
    ['{ from: x }', {}, 'type is missing'],
    ["{ from: x, split: ', ', part: 2 }", { x: 'a, b, c' }, 'b'],
    ["{ from: x, split: ', ', part: 9, default: z }", { x: 'a, b' }, 'z'],
    ["{ from: x, map: { a: exact, 'a*': prefix, '*': other } }", { x: 'a' }, 'exact'],
    ["{ from: x, map: { a: exact, 'a*': prefix, '*': other } }", { x: 'ab' }, 'prefix'],
    ["{ from: x, map: { a: exact, 'a*': prefix, '*': other } }", { x: 'b' }, 'other'],
    ["{ from: x, map: { '200': fine } }", { x: 200 }, 'fine'],
    [
      '{ from: x, map: { a: b } }',
      { x: 'c' },
      'type "c" in "x" is not in the map: add it, or \'*\' for all others',
    ],
    ["{ from: x, map: { a: b, '*': c }, default: d }", {}, 'd'],
    ['{ from: x, bands: [{ below: 3, is: low }, { is: high }] }', { x: 2.999 }, 'low'],
    ['{ from: x, bands: [{ below: 3, is: low }, { is: high }] }', { x: '3' }, 'high'],
    [
      '{ from: x, bands: [{ below: 3, is: low }, { is: high }] }',
      { x: 'much' },
      'type "much" in "x" is no number',
    ],
    ['{ from: x, bands: [{ below: 3, is: low }, { is: high }], default: none }', { x: null }, 'none'],
    ["{ join: [x, y, z], with: ' / ' }", { x: 'a', z: ['b', 'c'] }, 'a / b / c'],
    [
      "{ choose: [{ when: { x: 'C*', y: { above: 0, below: 9 } }, is: both }, { is: '${x}!' }] }",
      { x: 'C1', y: '5' },
      'both',
    ],
    [
      "{ choose: [{ when: { x: 'C*', y: { above: 0, below: 9 } }, is: both }, { is: '${x}!' }] }",
      { x: 'C1', y: 9 },
      'C1!',
    ],
    ["{ choose: [{ when: { x: 'C*', y: { above: 0 } }, is: both }, { is: '${x}!' }] }", { x: 'C1' }, 'C1!'],
    ['{ choose: [{ when: { x: [a, b] }, is: listed }] }', { x: 'b' }, 'listed'],
    ['{ choose: [{ when: { x: [a, b] }, is: listed }] }', { x: 'c' }, 'type is missing'],
  ];
  for (const [expression, row, expected] of cases) {
    it(`${expression} makes ${expected} of ${JSON.stringify(row)}`, () =>
      expect(typeOf(expression, row)).to.equal(expected));
  }
});

describe('data', () => {
  it('keeps every field, under its new name where it has one', () => {
    expect(dataOf('{ rename: { B: b } }', { B: 1, c: 2 })).to.deep.equal({ ref: 'a', at: 0, b: 1, c: 2 });
  });

  it('has fields of other types, and products without rounding errors', () => {
    const set =
      '{ set: { n: { from: n, as: number }, ok: { from: ok, as: boolean }, sum: { multiply: [n, p] } } }';
    expect(dataOf(set, { n: '3', p: '1.10', ok: 'TRUE' })).to.deep.include({ n: 3, ok: true, sum: 3.3 });
    expect(dataOf(set, { n: '3', ok: 'false' })).to.not.have.property('sum');
    expect(dataOf(set, { n: '3', p: 'free', ok: '' })).to.equal('data.sum "3" × "free" cannot be multiplied');
    expect(dataOf(set, { n: 'x' })).to.equal('data.n "x" in "n" is no number');
  });
});

describe('an attribute', () => {
  const attributesOf = (attributes: string, row: object): Event['attributes'] | string => {
    const mapping = parseMapping(mappingText({ more: `attributes: ${attributes}` }), 'x');
    const mapped = mapRecord(mapping, { row: { ref: 'a', at: 0, ...row }, line: 1 });
    return mapped.ok ? mapped.event.attributes : `${mapped.problem.field} ${mapped.problem.detail}`;
  };

  it('is left out where it has no value', () => {
    expect(attributesOf('{ kind: city, city: { from: town } }', {})).to.deep.equal({ kind: 'city' });
  });

  it('may be a severity only of those that alerts know', () => {
    expect(attributesOf('{ severity: { from: s } }', { s: 'HIGH' })).to.equal(
      'severity "HIGH" is none of low, medium, high, critical',
    );
  });
});

describe('parseMapping', () => {
  const refused: readonly (readonly [string, string, string])[] = [
    [
      'an unknown format',
      mappingText({ format: 'xml' }),
      'format: is "xml" but must be one of ndjson, csv, geojson',
    ],
    [
      'a broken pattern',
      mappingText({ format: "{ lines: '(?<a' }" }),
      'format.lines: is no regular expression',
    ],
    ['a pattern without fields', mappingText({ format: "{ lines: '.*' }" }), 'format.lines: names no field'],
    ['a long delimiter', mappingText({ format: "{ csv: { delimiter: '::' } }" }), 'must be one character'],
    [
      'a time without a zone',
      mappingText({ time: "{ from: at, format: 'YYYY-MM-DD HH:mm' }" }),
      'event.time: give the zone',
    ],
    ['a missing field', mappingText({ rest: '' }).replace('  source: /x\n', ''), 'event: source is missing'],
    ['an unknown field', mappingText({ more: 'subjekt: x' }), 'event: "subjekt" is not known here'],
    [
      'an expression of two kinds',
      mappingText({ type: '{ from: a, join: [b] }' }),
      'event.type: "join" is not known here',
    ],
    ['an expression of no kind', mappingText({ type: '{ of: a }' }), 'event.type: says no value'],
    [
      'two steps',
      mappingText({ type: '{ from: a, as: text, map: { b: c } }' }),
      'more than one of as, map and bands',
    ],
    [
      'split without part',
      mappingText({ type: '{ from: a, split: x }' }),
      'split and part (from 1) go together',
    ],
    [
      'part 0',
      mappingText({ type: '{ from: a, split: x, part: 0 }' }),
      'event.type.part: must be a whole number from 1',
    ],
    [
      'falling bands',
      mappingText({ type: '{ from: a, bands: [{ below: 3, is: x }, { below: 2, is: y }, { is: z }] }' }),
      'event.type.bands: must list rising limits',
    ],
    [
      'bands without an end',
      mappingText({ type: '{ from: a, bands: [{ below: 3, is: x }] }' }),
      'event.type.bands[0]: "below" is not known here',
    ],
    ['a test of nothing', mappingText({ type: '{ choose: [{ when: { a: {} }, is: x }] }' }), 'tests nothing'],
    [
      'a wrong attribute name',
      mappingText({ more: 'attributes: { Kind: x }' }),
      '"Kind" is no attribute name',
    ],
    [
      'an attribute that is a field',
      mappingText({ more: 'attributes: { id: x }' }),
      '"id" is no attribute name',
    ],
    [
      'two fields of one name',
      mappingText({ rest: 'data: { rename: { a: x, b: x } }' }),
      'data.rename: gives two fields the same name',
    ],
    [
      'an example without an outcome',
      mappingText({ rest: "examples: [{ input: '{}' }]" }),
      'examples[0]: must have one of event and problem',
    ],
  ];
  for (const [what, text, problem] of refused) {
    it(`refuses ${what}, with its path`, () => expect(problemsOf(text)).to.contain(problem));
  }

  it('names the columns that a CSV file must have, but not those with a default', () => {
    const text = mappingText({
      format: 'csv',
      type: "{ choose: [{ when: { Q: { above: 0 } }, is: '${T}' }, { is: x }] }",
      more: 'attributes: { kind: { from: K, default: city } }',
      rest: 'data: { rename: { R: r }, set: { s: { multiply: [A, B] } } }',
    });
    const { format } = parseMapping(text, 'x');
    expect(format).to.deep.equal({
      kind: 'csv',
      delimiter: ',',
      columns: ['at', 'ref', 'Q', 'T', 'A', 'B', 'R'],
    });
  });
});

describe('failedMappingExamples', () => {
  const failed = (examples: string): Promise<readonly string[]> =>
    failedMappingExamples(parseMapping(mappingText({ rest: `examples:\n${examples}` }), 'x'));

  it('says what comes out instead', async () => {
    const input = `'{"ref":"a","at":0,"x":{"y":1}}'`;
    expect(
      await failed(`
  - { input: ${input}, event: { id: a, data: { x: { y: 1 } } } }
  - { input: ${input}, event: { id: b, data: { x: { y: 2 } } } }
  - { input: ${input}, event: { attributes: { kind: city } } }
  - { input: ${input}, problem: anything }
  - { input: '{}', event: { id: a } }
  - { input: '{}', problem: which is absent }
`),
    ).to.deep.equal([
      'examples[1]: id is "a", not "b"',
      'examples[1]: data.x.y is 1, not 2',
      'examples[2]: attributes is {}, not {"kind":"city"}',
      'examples[3]: gives an event, but a problem is expected',
      'examples[4]: gives the problem "id needs "ref", which is absent"',
    ]);
  });
});

describe('mappingFor', () => {
  const named = (name: string, ...files: string[]) => ({ ...parseMapping(mappingText({}), name), files });

  it('matches * with any characters, also in the middle', () => {
    const mappings = [named('one', 'a*b*c'), named('two', 'log')];
    expect(mappingFor('dir/axxbyyc', mappings).name).to.equal('one');
    expect(mappingFor('log', mappings).name).to.equal('two');
    expect(() => mappingFor('ac', mappings)).to.throw('No mapping is for a file named ac');
    expect(() => mappingFor('abbC', mappings)).to.throw('No mapping');
  });

  it('does not choose between two', () => {
    expect(() => mappingFor('ab', [named('one', 'a*'), named('two', '*b')])).to.throw(
      'More than one mapping is for a file named ab: choose one with --mapping (one, two)',
    );
  });
});
