import avsc from 'avsc';
import { expect } from 'chai';
import fc from 'fast-check';
import { incompatibilities } from '../../../lib/event/avro-compatibility.ts';
import { parseAvroSchema } from '../../../lib/event/avro-schema.ts';

type Json = unknown;

/** Reasons as `path: message`. */
function reasons(reader: Json, writer: Json): readonly string[] {
  const found = incompatibilities(parseAvroSchema(reader), parseAvroSchema(writer));
  return found.map(({ path, message }) => `${path}: ${message}`);
}

const record = (fields: readonly object[], more: object = {}): Json => ({
  type: 'record',
  name: 'R',
  fields,
  ...more,
});
const field = (name: string, type: Json, more: object = {}): object => ({ name, type, ...more });
const enumeration = (symbols: readonly string[], more: object = {}): Json => ({
  type: 'enum',
  name: 'E',
  symbols,
  ...more,
});
const fixed = (size: number, name = 'F'): Json => ({ type: 'fixed', name, size });
const list = (items: Json): Json => ({ type: 'array', items });
const map = (values: Json): Json => ({ type: 'map', values });

/** A tree of itself: each node may have a left and a right one. */
const tree = (value: Json): Json => ({
  type: 'record',
  name: 'Node',
  fields: [field('value', value), field('left', ['null', 'Node']), field('right', ['null', 'Node'])],
});

const cases: readonly (readonly [rule: string, reader: Json, writer: Json, reasons: readonly string[]])[] = [
  ['a type reads itself', 'string', 'string', []],
  ['int is read as long, float and double', ['long'], 'int', []],
  ['long is read as float', 'float', 'long', []],
  ['long is not read as int', 'int', 'long', [': long cannot be read as int']],
  ['double is not read as float', 'float', 'double', [': double cannot be read as float']],
  ['string is read as bytes', 'bytes', 'string', []],
  ['bytes are read as string', 'string', 'bytes', []],
  ['boolean is not read as int', 'int', 'boolean', [': boolean cannot be read as int']],
  ['a written field may be left out', record([]), record([field('a', 'int')]), []],
  ['a new field with a default is filled', record([field('a', 'int', { default: 0 })]), record([]), []],
  [
    'a new field without a default is not',
    record([field('a', 'int')]),
    record([]),
    ['/fields/a: the field is not in the written data and has no default'],
  ],
  [
    'the order of fields does not matter',
    record([field('a', 'int'), field('b', 'int')]),
    record([field('b', 'int'), field('a', 'int')]),
    [],
  ],
  [
    'a field is found by its alias',
    record([field('b', 'int', { aliases: ['a'] })]),
    record([field('a', 'int')]),
    [],
  ],
  ['a field type is promoted', record([field('a', 'double')]), record([field('a', 'int')]), []],
  [
    'a field type is not narrowed, and the path names it',
    record([field('a', list(map('int')))]),
    record([field('a', list(map('string')))]),
    ['/fields/a/items/values: string cannot be read as int'],
  ],
  [
    'records of other names do not match',
    record([]),
    record([], { name: 'S' }),
    ['/name: S is not R, nor an alias of it'],
  ],
  ['an alias stands for the written name', record([], { aliases: ['S'] }), record([], { name: 'S' }), []],
  ['namespaces do not matter', record([], { namespace: 'a' }), record([], { namespace: 'b' }), []],
  [
    'an alias in a namespace is whole',
    record([], { aliases: ['b.S'] }),
    record([], { name: 'S', namespace: 'b' }),
    [],
  ],
  ['more symbols read fewer', enumeration(['a', 'b']), enumeration(['a']), []],
  [
    'fewer symbols do not read more',
    enumeration(['a']),
    enumeration(['a', 'b', 'c']),
    ['/symbols: b, c missing, and no default'],
  ],
  ['fewer symbols with a default do', enumeration(['a'], { default: 'a' }), enumeration(['a', 'b']), []],
  [
    'enums of other names do not match',
    enumeration(['a']),
    enumeration(['a'], { name: 'Other' }),
    ['/name: Other is not E, nor an alias of it'],
  ],
  ['fixed types of one size match', fixed(4), fixed(4), []],
  ['fixed types of two sizes do not', fixed(4), fixed(8), ['/size: 8 bytes cannot be read as 4']],
  ['fixed is not read as bytes', 'bytes', fixed(4), [': fixed F cannot be read as bytes']],
  ['an array is not read as a map', map('int'), list('int'), [': array cannot be read as map']],
  ['items are promoted', list('long'), list('int'), []],
  ['a union reads one of its branches', ['null', 'string'], 'string', []],
  ['a union reads what can be promoted to a branch', ['null', 'long'], 'int', []],
  [
    'a union does not read what is in no branch',
    ['null', 'string'],
    'int',
    [': the union has no branch for int'],
  ],
  [
    'a type does not read a union with another branch',
    'string',
    ['null', 'string'],
    [': null cannot be read as string'],
  ],
  ['a type reads a union whose branches all become it', 'double', ['int', 'long'], []],
  ['a union reads a smaller one', ['null', 'string', 'int'], ['int', 'null'], []],
  [
    'a union does not read a larger one',
    ['null', 'string'],
    ['null', 'string', 'int'],
    [': the union has no branch for int'],
  ],
  [
    'a record in a union says what is wrong with it',
    ['null', record([field('a', 'int')])],
    record([]),
    ['/1/fields/a: the field is not in the written data and has no default'],
  ],
  ['a recursive schema reads itself', tree('int'), tree('int'), []],
  ['a recursive schema is promoted all the way', tree('long'), tree('int'), []],
  [
    'a recursive schema fails once, where it is first met',
    tree('int'),
    tree('string'),
    ['/fields/value: string cannot be read as int'],
  ],
  [
    'a type that is named again is the one that was defined',
    record([field('a', fixed(4)), field('b', 'F')]),
    record([field('a', fixed(4)), field('b', fixed(4, 'G'))]),
    ['/fields/b/name: G is not F, nor an alias of it'],
  ],
  ['logical types do not count', { type: 'long', logicalType: 'timestamp-millis' }, 'long', []],
];

const primitive = fc.constantFrom<Json>('null', 'int', 'long', 'float', 'double', 'string', 'bytes');
const union = fc.subarray<Json>(['null', 'int', 'double', 'string'], { minLength: 1 });
const named = fc.oneof(
  fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }).map((symbols) => enumeration(symbols)),
  fc.constantFrom(4, 8).map((size) => fixed(size)),
);
const nested = fc.oneof(primitive.map(list), primitive.map(map));
const fields = fc.uniqueArray(
  fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('int', 'long'), fc.boolean()),
  { selector: ([name]) => name },
);
const records = fields.map((all) =>
  record(all.map(([name, type, hasDefault]) => field(name, type, hasDefault ? { default: 1 } : {}))),
);
const schema = fc.oneof(primitive, union, named, nested, records);

/** Schemas of one kind oftener than chance would have it: those that differ in kind are soon compared. */
const pair = fc.oneof(
  ...[primitive, union, named, nested, records].map((kind) => fc.tuple(kind, kind)),
  fc.tuple(union, primitive),
  fc.tuple(schema, schema),
);

describe('Avro compatibility', () => {
  for (const [rule, reader, writer, expected] of cases) {
    it(rule, () => {
      expect(reasons(reader, writer)).to.deep.equal(expected);
    });
  }

  it('lets every schema read itself', () => {
    fc.assert(
      fc.property(schema, (json) => {
        expect(reasons(json, json)).to.deep.equal([]);
      }),
    );
  });

  it('agrees with the decoder: compatible is what avsc can resolve', function () {
    this.timeout(20_000);
    fc.assert(
      fc.property(pair, ([reader, writer]) => {
        expect(reasons(reader, writer).length === 0).to.equal(canResolve(reader, writer));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** avsc makes a resolver, or throws where some data could not be read. */
function canResolve(reader: Json, writer: Json): boolean {
  const read = avsc.Type.forSchema(reader as avsc.Schema, { wrapUnions: true });
  const written = avsc.Type.forSchema(writer as avsc.Schema, { wrapUnions: true });
  try {
    read.createResolver(written);
    return true;
  } catch {
    return false;
  }
}
