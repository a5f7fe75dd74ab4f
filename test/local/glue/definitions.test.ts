import type { Compatibility } from '@aws-sdk/client-glue';
import { expect } from 'chai';
import { definitionProblem, isCompatible, sameDefinition } from '../../../local/glue/definitions.ts';
import type { Schema } from '../../../local/glue/state.ts';

function definition(...fields: readonly object[]): string {
  return JSON.stringify({ type: 'record', name: 'Reading', fields });
}

const plain = definition({ name: 'a', type: 'int' });
const withDefault = definition({ name: 'a', type: 'int' }, { name: 'b', type: 'int', default: 0 });
const withRequired = definition({ name: 'a', type: 'int' }, { name: 'b', type: 'int' });
const empty = definition();

function schema(
  compatibility: Compatibility,
  definitions: readonly string[],
  more: Partial<Schema> = {},
): Schema {
  const time = '2026-01-01T00:00:00.000Z';
  return {
    registry: 'r',
    name: 's',
    description: undefined,
    tags: {},
    format: 'AVRO',
    compatibility,
    checkpoint: 1,
    versions: definitions.map((text, at) => ({
      number: at + 1,
      id: `v${at + 1}`,
      definition: text,
      status: 'AVAILABLE',
      createdTime: time,
      metadata: [],
    })),
    createdTime: time,
    updatedTime: time,
    ...more,
  };
}

/** Version 1 is `plain`, version 2 `withDefault`: which modes accept a third? */
const cases: readonly (readonly [what: string, third: string, accepting: readonly Compatibility[]])[] = [
  [
    'what version 2 and version 1 both fit',
    definition({ name: 'a', type: 'int' }, { name: 'c', type: 'int', default: 0 }),
    ['BACKWARD', 'BACKWARD_ALL', 'FORWARD', 'FORWARD_ALL', 'FULL', 'FULL_ALL'],
  ],
  [
    'a field required that version 2 has and version 1 lacks',
    withRequired,
    ['BACKWARD', 'FORWARD', 'FORWARD_ALL', 'FULL'],
  ],
  ['the loss of a field without a default', empty, ['BACKWARD', 'BACKWARD_ALL']],
  [
    'a required field that no version has',
    definition({ name: 'a', type: 'int' }, { name: 'c', type: 'int' }),
    ['FORWARD', 'FORWARD_ALL'],
  ],
  ['another type of a field', definition({ name: 'a', type: 'string' }), []],
];

const checked = ['BACKWARD', 'BACKWARD_ALL', 'FORWARD', 'FORWARD_ALL', 'FULL', 'FULL_ALL'] as const;

describe('whether a definition may follow', () => {
  for (const [what, third, accepting] of cases) {
    it(`${what}: under ${accepting.join(', ') || 'none'}`, () => {
      const allowed = checked.filter((mode) => isCompatible(schema(mode, [plain, withDefault]), third));
      expect(allowed).to.deep.equal(accepting);
      expect(isCompatible(schema('NONE', [plain, withDefault]), third)).to.equal(true);
    });
  }

  it('looks no further back than the checkpoint', () => {
    const since2 = schema('BACKWARD_ALL', [plain, withDefault], { checkpoint: 2 });
    expect(isCompatible(since2, withRequired)).to.equal(true);
  });

  it('does not look at versions that failed', () => {
    const { versions, ...rest } = schema('BACKWARD', [plain, definition({ name: 'z', type: 'string' })]);
    const [first, second] = versions;
    const failed: Schema = { ...rest, versions: [first!, { ...second!, status: 'FAILURE' }] };
    expect(isCompatible(failed, withDefault)).to.equal(true);
  });

  it('compares no JSON schemas', () => {
    const json = schema('FULL_ALL', ['{"type":"object"}'], { format: 'JSON' });
    expect(isCompatible(json, '{"type":"string"}')).to.equal(true);
  });
});

describe('a definition', () => {
  it('is the same whatever its white space, and another with its fields in another order', () => {
    expect(sameDefinition(plain, JSON.stringify(JSON.parse(plain), undefined, 3))).to.equal(true);
    expect(sameDefinition(withDefault, withRequired)).to.equal(false);
  });

  for (const [what, format, text, problem] of [
    ['nothing', 'AVRO', ' ', /empty/],
    ['no JSON', 'JSON', '{', /JSON/],
    ['an Avro type that is not defined', 'AVRO', '"Nobody"', /Nobody is not defined/],
    ['a default of the wrong type', 'AVRO', definition({ name: 'a', type: 'int', default: 'x' }), /default/],
    ['a format that is not known here', 'PROTOBUF', 'syntax = "proto3";', /PROTOBUF is not implemented/],
    ['too long a text', 'JSON', JSON.stringify('x'.repeat(170_000)), /longer than 170000/],
  ] as const) {
    it(`has a problem when it is ${what}`, () => {
      expect(definitionProblem(format, text)).to.match(problem);
    });
  }
});
