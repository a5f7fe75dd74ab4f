import { expect } from 'chai';
import fc from 'fast-check';
import { parseRecordsBody, type WireRecord } from '../../../lib/streams/records-body.ts';

interface Told {
  readonly PartitionKey: string;
  readonly Data: Uint8Array;
  readonly ApproximateArrivalTimestamp: number;
}

/** Texts that look like what the parser looks for. */
const tricky = fc.constantFrom('Data', '"Data":"AAAA"', '\\"Data\\":\\"', '{"Data":"', '"Data" : "', '\\');
const key = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), tricky);
const told: fc.Arbitrary<Told> = fc.record({
  PartitionKey: key,
  Data: fc.uint8Array({ maxLength: 200 }),
  ApproximateArrivalTimestamp: fc.integer({ min: 0, max: 2_000_000_000_000 }).map((ms) => ms / 1_000),
});

interface Form {
  readonly indent: number;
  readonly dataFirst: boolean;
  readonly ascii: boolean;
  readonly slashes: boolean;
}
const form: fc.Arbitrary<Form> = fc.record({
  indent: fc.integer({ min: 0, max: 2 }),
  dataFirst: fc.boolean(),
  ascii: fc.boolean(),
  slashes: fc.boolean(),
});

/** The same document as different services might write it. */
function written(records: readonly Told[], { indent, dataFirst, ascii, slashes }: Form): Buffer {
  const Records = records.map(({ Data, ...rest }) => {
    const text = Buffer.from(Data).toString('base64');
    return dataFirst ? { Data: text, ...rest } : { ...rest, Data: text };
  });
  let json = JSON.stringify({ Records, MillisBehindLatest: 7, NextShardIterator: '"Data"' }, null, indent);
  if (slashes) json = json.replaceAll('/', String.raw`\/`);
  const escaped = (unit: string): string => String.raw`\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  if (ascii) json = json.replaceAll(/[^\n -~]/g, escaped);
  return Buffer.from(json);
}

function parsed(text: string): { readonly Records?: readonly WireRecord[] } {
  return parseRecordsBody(Buffer.from(text));
}

describe('the JSON that carries records', () => {
  it('gives back every record, whatever its keys and bytes are and however the JSON is written', () => {
    fc.assert(
      fc.property(fc.array(told, { maxLength: 8 }), form, (records, how) => {
        expect(parseRecordsBody(written(records, how))).to.deep.equal({
          Records: records,
          MillisBehindLatest: 7,
          NextShardIterator: '"Data"',
        });
      }),
      { numRuns: 300 },
    );
  });

  it('holds the data of all records in the body itself', () => {
    const body = Buffer.from('{"Records":[{"Data":"aGVsbG8="},{"Data":"d29ybGQ="}]}');
    const { Records = [] } = parseRecordsBody(body) as ReturnType<typeof parsed>;
    expect(Records.map(({ Data }) => Data?.buffer === body.buffer)).to.deep.equal([true, true]);
    expect(Records.map(({ Data }) => Buffer.from(Data ?? []).toString())).to.deep.equal(['hello', 'world']);
  });

  it('leaves a record without data without any, and gives the next one its own', () => {
    const { Records = [] } = parsed('{"Records":[{"Data":null},{},{"Data":"aGVsbG8="}]}');
    expect(Records.map(({ Data }) => Data && Buffer.from(Data).toString())).to.deep.equal([
      undefined,
      undefined,
      'hello',
    ]);
  });

  it('reads an answer without records', () => {
    expect(parsed('{"NextShardIterator":null}')).to.deep.equal({ NextShardIterator: null });
  });

  const broken: readonly (readonly [what: string, body: string])[] = [
    ['ends in the data', '{"Records":[{"Data":"aGVsbG8'],
    ['ends after it', '{"Records":[{"Data":"aGVsbG8="}'],
    ['has data that is not base64', '{"Records":[{"Data":"a*Vs"}]}'],
    ['is empty', ''],
  ];
  for (const [what, body] of broken) {
    it(`refuses a body that ${what}`, () => {
      expect(() => parsed(body)).to.throw(SyntaxError);
    });
  }
});
