import { S3Error } from './errors.ts';

/** A chunk's header line is a length and a signature, a trailer line a checksum: longer ones are not of this protocol. */
const lineBytesMax = 4_096;

type State = 'size' | 'data' | 'after-data' | 'trailer' | 'done';

/**
 * Takes the framing off an `aws-chunked` body: `HEX[;chunk-signature=…]\r\n DATA \r\n`, …, a chunk of length 0,
 * trailer lines, an empty line. Signatures are not checked. `trailers` is whole once the stream has ended.
 * (Amazon S3 API reference, "Signature calculations: transferring payload in multiple chunks".)
 */
export class ChunkDecoder {
  readonly trailers = new Map<string, string>();
  #state: State = 'size';
  #left = 0;
  #line = '';

  /** The data in `source`. @throws S3Error InvalidRequest, IncompleteBody */
  async *decode(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const bytes of source) {
      let at = 0;
      while (at < bytes.length) {
        if (this.#state === 'data') {
          const data = this.#takeData(bytes, at);
          yield data;
          at += data.length;
        } else {
          at = this.#takeLine(bytes, at);
        }
      }
    }
    if (this.#state !== 'done') throw new S3Error('IncompleteBody');
  }

  #takeData(bytes: Buffer, at: number): Buffer {
    const data = bytes.subarray(at, at + this.#left);
    this.#left -= data.length;
    if (this.#left === 0) this.#state = 'after-data';
    return data;
  }

  /** Lines may be split over network reads at any byte. */
  #takeLine(chunk: Buffer, at: number): number {
    const newline = chunk.indexOf(0x0a, at);
    const end = newline === -1 ? chunk.length : newline + 1;
    this.#line += chunk.toString('latin1', at, end);
    if (this.#line.length > lineBytesMax) throw framingError('a line is too long');
    if (newline !== -1) {
      const line = this.#line.replace(/\r?\n$/, '');
      this.#line = '';
      this.#readLine(line);
    }
    return end;
  }

  #readLine(line: string): void {
    switch (this.#state) {
      case 'size': {
        const [size = ''] = line.split(';');
        if (!/^[0-9a-f]{1,8}$/i.test(size))
          throw framingError(`"${size.slice(0, 20)}" is not a chunk length`);
        this.#left = Number.parseInt(size, 16);
        this.#state = this.#left === 0 ? 'trailer' : 'data';
        return;
      }
      case 'after-data':
        if (line !== '') throw framingError('a chunk is longer than it said');
        this.#state = 'size';
        return;
      case 'trailer': {
        if (line === '') {
          this.#state = 'done';
          return;
        }
        const colon = line.indexOf(':');
        this.trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
        return;
      }
      case 'done':
      case 'data':
        throw framingError('there are bytes after the end');
    }
  }
}

function framingError(what: string): S3Error {
  return new S3Error('InvalidRequest', {}, `The aws-chunked body is malformed: ${what}.`);
}
