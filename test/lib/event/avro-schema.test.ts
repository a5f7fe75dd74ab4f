import { expect } from 'chai';
import { parseAvroSchema } from '../../../lib/event/avro-schema.ts';

describe('reading an Avro schema', () => {
  it('gives short names the namespace around them, and leaves whole names as they are', () => {
    const schema = parseAvroSchema({
      type: 'record',
      name: 'Outer',
      namespace: 'weir',
      fields: [
        { name: 'a', type: { type: 'fixed', name: 'Inner', size: 1 } },
        { name: 'b', type: 'Inner' },
        { name: 'c', type: 'weir.Inner' },
        { name: 'd', type: { type: 'fixed', name: 'other.Far', size: 2, aliases: ['Near', 'x.Y'] } },
      ],
    });
    if (schema.kind !== 'record') throw new Error(schema.kind);
    const [a, b, c, d] = schema.fields.map((field) => field.schema);
    expect(schema.name).to.equal('weir.Outer');
    expect(b).to.equal(a);
    expect(c).to.equal(a);
    expect(d).to.deep.include({ name: 'other.Far', aliases: ['other.Near', 'x.Y'] });
  });

  it('lets a record hold itself', () => {
    const schema = parseAvroSchema({
      type: 'record',
      name: 'Node',
      fields: [{ name: 'next', type: ['null', 'Node'] }],
    });
    if (schema.kind !== 'record') throw new Error(schema.kind);
    const [next] = schema.fields;
    expect(next?.schema.kind === 'union' && next.schema.branches[1]).to.equal(schema);
  });

  for (const [what, json, message] of [
    ['a type that is not defined', { type: 'array', items: 'Nobody' }, 'the type Nobody is not defined'],
    ['a record without fields', { type: 'record', name: 'R' }, 'the record R has no list of fields'],
    ['a record without a name', { type: 'record', fields: [] }, 'a record has no name'],
    ['a fixed type without a size', { type: 'fixed', name: 'F' }, 'the fixed type F has no size'],
    [
      'a name that is defined twice',
      [
        { type: 'fixed', name: 'F', size: 1 },
        { type: 'fixed', name: 'F', size: 1 },
      ],
      'the type F is defined twice',
    ],
    ['what is no schema at all', 7, '7 is no schema'],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => parseAvroSchema(json)).to.throw(TypeError, message);
    });
  }
});
