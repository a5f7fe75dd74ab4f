import { PlatformError } from '../runtime/errors.ts';

/** Writes unsigned numbers of any size as LEB128 (seven bits a byte, lowest first) and texts with their length. */
export class VarintWriter {
  readonly #bytes: number[] = [];

  number(value: bigint): void {
    let rest = value;
    while (rest > 0x7fn) {
      this.#bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#bytes.push(Number(rest));
  }

  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.number(BigInt(bytes.length));
    for (const byte of bytes) this.#bytes.push(byte);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Reads what a VarintWriter wrote; throws `bad-saved-state` where the bytes end too soon or go on too long. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined)
        throw new PlatformError('bad-saved-state', 'The saved state of stamps is cut short');
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    const length = Number(this.number());
    if (this.#at + length > this.#bytes.length) {
      throw new PlatformError('bad-saved-state', 'The saved state of stamps is cut short');
    }
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return Buffer.from(bytes).toString('utf8');
  }

  end(): void {
    if (this.#at < this.#bytes.length) {
      throw new PlatformError('bad-saved-state', 'The saved state of stamps has bytes too many');
    }
  }
}
