import { expect } from 'chai';
import fc from 'fast-check';
import { ChunkDecoder } from '../../../local/s3/chunked.ts';

async function* pieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (const cut of [...cuts].sort((left, right) => left - right)) {
    const to = Math.min(cut, bytes.length);
    yield bytes.subarray(from, to);
    from = to;
  }
  yield bytes.subarray(from);
}

async function decode(framed: Buffer, cuts: readonly number[] = []) {
  const decoder = new ChunkDecoder();
  const chunks: Buffer[] = [];
  for await (const chunk of decoder.decode(pieces(framed, cuts))) chunks.push(chunk);
  return { data: Buffer.concat(chunks), trailers: Object.fromEntries(decoder.trailers) };
}

function frame(chunks: readonly Uint8Array[], end: string, signature = ''): Buffer {
  const framed = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)}${signature}\r\n`),
    Buffer.from(chunk),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...framed, Buffer.from(`0${signature}\r\n${end}\r\n`)]);
}

async function refused(framed: string): Promise<string | undefined> {
  try {
    await decode(Buffer.from(framed));
    return undefined;
  } catch (error) {
    return (error as { readonly code?: string }).code;
  }
}

describe('aws-chunked bodies', () => {
  it('give the data and the trailer, wherever the network cuts them', async () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 40 });
    const cut = fc.integer({ min: 0, max: 400 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(chunk, { maxLength: 5 }),
        fc.array(cut, { maxLength: 6 }),
        async (chunks, cuts) => {
          const { data, trailers } = await decode(frame(chunks, 'x-amz-checksum-crc32:AAAAAA==\r\n'), cuts);
          expect(data.equals(Buffer.concat(chunks))).to.equal(true);
          expect(trailers).to.deep.equal({ 'x-amz-checksum-crc32': 'AAAAAA==' });
        },
      ),
    );
  });

  it('may carry a signature with each chunk, and no trailer', async () => {
    const framed = frame([Buffer.from('hello'), Buffer.from(' world')], '', ';chunk-signature=0123abcd');
    expect((await decode(framed)).data.toString()).to.equal('hello world');
  });

  it('are incomplete without their last chunk', async () => {
    expect(await refused('5\r\nhello\r\n')).to.equal('IncompleteBody');
    expect(await refused('5\r\nhel')).to.equal('IncompleteBody');
    expect(await refused('')).to.equal('IncompleteBody');
  });

  it('are refused when the framing is not kept', async () => {
    expect(await refused('zz\r\nhello')).to.equal('InvalidRequest');
    expect(await refused('2\r\nhello\r\n0\r\n\r\n')).to.equal('InvalidRequest');
    expect(await refused('0\r\n\r\nmore\r\n')).to.equal('InvalidRequest');
    expect(await refused(`${'0'.repeat(5_000)}\r\n`)).to.equal('InvalidRequest');
  });
});
