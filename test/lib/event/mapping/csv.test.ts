import { expect } from 'chai';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvRecords } from '../../../../lib/event/mapping/csv.ts';
import { parseFields } from '../../../../lib/event/mapping/csv-fields.ts';
import { maxRecordBytes } from '../../../../lib/event/mapping/raw-record.ts';

/** The file cut into chunks of `size` bytes, as a slow disk would give it. */
async function* chunked(file: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
}

async function recordsOf(
  file: string | Buffer,
  needed: readonly string[] = [],
  size = 65_536,
): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const record of csvRecords(chunked(Buffer.from(file), size), { delimiter: ',', needed })) {
    found.push('row' in record ? record.row : `${record.line}: ${record.broken}`);
  }
  return found;
}

async function failure(file: string, needed: readonly string[]): Promise<unknown> {
  try {
    return await recordsOf(file, needed);
  } catch (error) {
    return error;
  }
}

describe('csvRecords', () => {
  it('takes quotes, doubled quotes, delimiters and line ends in a field', async () => {
    const file = 'a,b\r\n"1,""x""","l1\r\nl2"\r\n3,';
    expect(await recordsOf(file)).to.deep.equal([
      { a: '1,"x"', b: 'l1\r\nl2' },
      { a: '3', b: '' },
    ]);
  });

  it('numbers data records from 1, and goes on after a broken one', async () => {
    const file = 'a,b\n1,2\nx"y,3\n"x"y,4\n1\n1,2,3\n\n5,6\n';
    expect(await recordsOf(file)).to.deep.equal([
      { a: '1', b: '2' },
      '2: field 1 has a quote, but is not quoted',
      '3: field 1 goes on after its closing quote',
      '4: the record has 1 fields, the header 2',
      '5: the record has 3 fields, the header 2',
      '6: the record has 1 fields, the header 2',
      { a: '5', b: '6' },
    ]);
  });

  it('loses no line after a quote that is never closed', async () => {
    const sound = Array.from({ length: 3_000 }, (_, i) => `${i},x`);
    const records = await recordsOf(`a,b\n1,"open\n${sound.join('\n')}\n`);
    expect(records[0]).to.equal('1: field 2 has a quote that is not closed');
    expect(records.slice(1)).to.deep.equal(sound.map((_, i) => ({ a: String(i), b: 'x' })));
  });

  it('does not wait for a closing quote longer than a record may go on', async () => {
    const lines = Array.from({ length: 1_000 }, (_, i) => `${i},x`);
    const records = await recordsOf(`a,b\n1,"open\n${lines.join('\n')}\nclosed"\n2,y\n`);
    expect(records).to.have.length(1_003);
    expect(records[0]).to.equal('1: field 2 has a quote that is not closed');
    expect(records.at(-1)).to.deep.equal({ a: '2', b: 'y' });
  });

  it('finds broken UTF-8 in its record only', async () => {
    const file = Buffer.concat([
      Buffer.from('a,b\n1,é\n2,'),
      Buffer.from([0xff, 0x0a]),
      Buffer.from('3,ü\n'),
    ]);
    expect(await recordsOf(file)).to.deep.equal([
      { a: '1', b: 'é' },
      '2: the record is not valid UTF-8',
      { a: '3', b: 'ü' },
    ]);
  });

  it('does not keep a record that is too long, and goes on', async () => {
    const file = Buffer.concat([
      Buffer.from('a,b\n1,'),
      Buffer.alloc(maxRecordBytes, 'x'),
      Buffer.from('\n3,4\n'),
    ]);
    expect(await recordsOf(file)).to.deep.equal([
      `1: the record is longer than ${maxRecordBytes} bytes`,
      { a: '3', b: '4' },
    ]);
  });

  it('says which columns are missing', async () => {
    expect(await failure('a,b\n1,2\n', ['a', 'Date', 'ID'])).to.include({
      code: 'mapping-misfit',
      message: 'The file has no column Date, ID; it has a, b: use another mapping',
    });
  });

  it('refuses two columns of one name', async () => {
    expect(await failure('a,b,a\n1,2,3\n', []))
      .to.have.property('message')
      .that.contains('two columns "a"');
  });

  it('reads the same however the file is cut into chunks', async () => {
    const file = 'name,text\n"ä, ö","1\n2"\nx,"y""z"\n';
    const whole = await recordsOf(file);
    for (let size = 1; size < file.length; size += 1)
      expect(await recordsOf(file, [], size)).to.deep.equal(whole);
  });
});

describe('parseFields', () => {
  it('agrees with csv-parse on everything that can be written', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', ' ', 'é'), maxLength: 8 });
    fc.assert(
      fc.property(
        fc.array(field, { minLength: 1, maxLength: 5 }),
        fc.array(fc.boolean(), { minLength: 5 }),
        (fields, quoted) => {
          const record = fields
            .map((text, i) => (quoted[i] || /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
            .join(',');
          expect(parseFields(record, ',')).to.deep.equal(fields);
          fc.pre(record !== '');
          expect(parse(record, { record_delimiter: '\r\n' })).to.deep.equal([fields]);
        },
      ),
    );
  });
});
