import { expect } from 'chai';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { aggregate, deaggregate } from '../../../lib/streams/kpl.ts';

const raw = (data: Uint8Array) => ({ sequenceNumber: '1', partitionKey: 'outer', data, arrivedAtMs: 0 });

const userRecords = fc.array(
  fc.record(
    {
      partitionKey: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
      explicitHashKey: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(String),
      data: fc.uint8Array({ maxLength: 300 }),
    },
    { requiredKeys: ['partitionKey', 'data'] },
  ),
  { minLength: 1, maxLength: 50 },
);

/** The format's own bytes around a protobuf message. */
function framed(message: readonly number[]): Uint8Array {
  const body = Buffer.from(message);
  return Buffer.concat([
    Buffer.from([0xf3, 0x89, 0x9a, 0xc2]),
    body,
    createHash('md5').update(body).digest(),
  ]);
}

describe('KPL aggregates', () => {
  it('give back the records that went in, numbered from 0', () => {
    fc.assert(
      fc.property(userRecords, (records) => {
        const users = deaggregate(raw(aggregate(records)));
        const plain = users.map((user) => ({ ...user, data: Uint8Array.from(user.data) }));
        const expected = records.map((record, subSequenceNumber) => ({ ...record, subSequenceNumber }));
        expect(plain).to.deep.equal(expected);
      }),
    );
  });

  it('are read as the format says, tags and unknown fields left aside', () => {
    const message = [
      '0a016b', // partition key table: "k"
      '120137', // explicit hash key table: "7"
      '1a0d' + '0800' + '1000' + '1a026869' + '22030a0174', // keys 0 and 0, "hi", a tag "t"
      '2805', // a field that the format does not have
    ];
    const [user, ...others] = deaggregate(raw(framed([...Buffer.from(message.join(''), 'hex')])));
    expect(others).to.deep.equal([]);
    expect(user).to.deep.include({ partitionKey: 'k', explicitHashKey: '7', subSequenceNumber: 0 });
    expect(Buffer.from(user!.data).toString()).to.equal('hi');
  });

  it('name each key once, however many records have it', () => {
    const records = Array.from({ length: 10 }, () => ({
      partitionKey: 'a-long-key',
      data: new Uint8Array(1),
    }));
    expect(aggregate(records).length).to.be.lessThan(120);
  });

  const plain: readonly [what: string, data: Uint8Array][] = [
    ['has no magic', Buffer.from('{"id":"1"}')],
    ['is empty', new Uint8Array(0)],
    ['has the magic only', Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2)],
    [
      'has a digest that does not fit',
      corrupted(aggregate([{ partitionKey: 'k', data: new Uint8Array(9) }])),
    ],
    ['has a sound digest over what is no message', framed([0xff, 0xff, 0xff])],
    ['points to a key that is not there', framed([0x0a, 1, 0x6b, 0x1a, 4, 0x08, 1, 0x1a, 0])],
    ['points to a hash key that is not there', framed([0x0a, 1, 0x6b, 0x1a, 6, 0x08, 0, 0x10, 0, 0x1a, 0])],
    ['has a record that is longer than the message', framed([0x0a, 1, 0x6b, 0x1a, 40, 0x08, 0, 0x1a, 0])],
  ];
  for (const [what, data] of plain) {
    it(`leave as one plain record what ${what}`, () => {
      const [user, ...others] = deaggregate(raw(data));
      expect(others).to.deep.equal([]);
      expect(user).to.deep.equal({ partitionKey: 'outer', data, subSequenceNumber: 0 });
      expect(user!.data).to.equal(data);
    });
  }

  it('are not made of nothing', () => {
    expect(() => aggregate([]))
      .to.throw()
      .with.property('code', 'empty-aggregate');
  });
});

function corrupted(data: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(data);
  copy[8] = (copy[8] ?? 0) ^ 1;
  return copy;
}
