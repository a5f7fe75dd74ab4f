import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { parseMapping } from '../../../../lib/event/mapping/parse-mapping.ts';
import { maxRecordBytes } from '../../../../lib/event/mapping/raw-record.ts';
import { type Entry, readEvents } from '../../../../lib/event/mapping/read-events.ts';
import type { FileBytes } from '../../../../lib/event/mapping/file-bytes.ts';

const head = `
what: a test
files: ['x*']
`;
const event = `
event: { id: '\${id}-\${#}', source: /x, type: '\${type}', time: { from: at, format: rfc3339 }, subject: '\${id}' }
`;
const ndjson = parseMapping(`${head}format: ndjson\n${event}`, 'x');
const csv = parseMapping(`${head}format: csv\n${event}`, 'x');
const geojson = parseMapping(
  `${head}format: geojson
event: { id: '\${id}', source: /x, type: '\${/properties/type}', time: { from: /properties/at, format: epoch-ms }, subject: s }`,
  'x',
);

async function entriesOf(file: FileBytes | string, mapping = ndjson): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const bytes = typeof file === 'string' ? Buffer.from(file) : file;
  for await (const entry of readEvents(bytes, mapping)) entries.push(entry);
  return entries;
}

async function outcomes(file: FileBytes | string, mapping = ndjson): Promise<readonly string[]> {
  const entries = await entriesOf(file, mapping);
  return entries.map((entry) =>
    'event' in entry
      ? `${entry.line} ${entry.event.id}`
      : `${entry.line} ${entry.problem.field}: ${entry.problem.detail}`,
  );
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    return error;
  }
}

const good = (id: string): string => JSON.stringify({ id, type: 't', at: '2026-11-20T09:30:00Z' });

describe('readEvents', () => {
  it('goes on after broken lines and says what is wrong with each', async () => {
    const lines = [
      good('a'),
      '{"id":',
      '[1]',
      '',
      '{"id":"b","type":"t"}',
      '{"id":"c","type":"t","at":"now"}',
      good('d'),
    ];
    expect(await outcomes(`${lines.join('\n')}\n`)).to.deep.equal([
      '1 a-1',
      '2 : the line is not valid JSON (Unexpected end of JSON input)',
      '3 : the line is JSON, but no object',
      '4 : the line is empty',
      '5 time: needs "at", which is absent',
      '6 time: "now" in "at" is not an RFC 3339 time: write it like 2026-11-20T09:30:00.5Z',
      '7 d-7',
    ]);
  });

  it('gives the text of a broken line', async () => {
    const entries = await entriesOf(`${good('a')}\n{"id":"é`);
    expect(entries[1]).to.include({ line: 2, raw: '{"id":"é' });
  });

  it('ends lines at \\n only, and takes the last one without it', async () => {
    const text = JSON.stringify({ id: 'a\u2028b', type: 't', at: '2026-11-20T09:30:00Z' });
    expect(await outcomes(`${text}\r\n${good('c')}`)).to.deep.equal(['1 a\u2028b-1', '2 c-2']);
  });

  it('finds broken UTF-8 and over-long lines, and goes on', async () => {
    const file = Buffer.concat([
      Buffer.from(`${good('a')}\n`),
      Buffer.from([0x22, 0xff, 0x22, 0x0a]),
      Buffer.alloc(maxRecordBytes + 1, ' '),
      Buffer.from(`\n${good('d')}\n`),
    ]);
    expect(await outcomes(file)).to.deep.equal([
      '1 a-1',
      '2 : the line is not valid UTF-8',
      `3 : the line is longer than ${maxRecordBytes} bytes`,
      '4 d-4',
    ]);
  });

  it('knows gzip by its bytes, also in tiny chunks, and passes over a byte order mark', async () => {
    const file = gzipSync(`\ufeff${good('a')}\n${good('b')}\n`);
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for (const byte of file) yield Uint8Array.of(byte);
    }
    expect(await outcomes(bytes())).to.deep.equal(['1 a-1', '2 b-2']);
  });

  it('fails on a gzip file that was cut', async () => {
    const file = gzipSync(`${good('a')}\n`.repeat(10_000));
    expect(await failure(entriesOf(file.subarray(0, file.length - 20)))).to.include({ code: 'broken-file' });
  });

  it('gives nothing for an empty file', async () => {
    expect(await outcomes('')).to.deep.equal([]);
  });

  it('stops with one error when none of the first 20 records fits', async () => {
    const file = Array.from({ length: 25 }, () => '{"other":1}').join('\n');
    const error = await failure(entriesOf(`${file}\n${good('z')}`));
    expect(error).to.include({ code: 'mapping-misfit' });
    expect(error).to.have.property('message').that.contains('none of the first 20 records');
    expect(error).to.have.property('message').that.contains('id needs "id", which is absent');
  });

  it('goes on when the twentieth record is the first that fits', async () => {
    const file = `${'{}\n'.repeat(19)}${good('z')}\n`;
    expect(await outcomes(file)).to.have.length(20);
  });

  it('stops when no record of a short file fits', async () => {
    expect(await failure(entriesOf('{}\n{}\n'))).to.include({ code: 'mapping-misfit' });
  });

  it('stops when a CSV file lacks a column that the mapping names', async () => {
    const error = await failure(entriesOf('id,type\na,t\n', csv));
    expect(error).to.have.property('message').that.contains('no column at;');
  });

  it('refuses an event that the platform would not take', async () => {
    const entries = await outcomes(`${good('a')}\n${good('x'.repeat(300))}\n`);
    expect(entries[1]).to.equal('2 id: has 302 characters; at most 256 are taken');
  });

  it('takes the features of a collection, each for itself', async () => {
    const feature = { type: 'Feature', id: 'f1', properties: { type: 't', at: 0 } };
    const collection = { type: 'FeatureCollection', features: [feature, 7, { ...feature, id: 9 }] };
    expect(await outcomes(JSON.stringify(collection), geojson)).to.deep.equal([
      '1 f1',
      '2 : the entry of "features" is no Feature',
      '3 9',
    ]);
  });

  it('says why a file is no collection', async () => {
    expect(await failure(entriesOf('{"features":', geojson))).to.include({ code: 'broken-file' });
    expect(await failure(entriesOf('{"type":"Feature"}', geojson)))
      .to.have.property('message')
      .that.contains('no list "features"');
  });
});
