import { createRequire } from 'node:module';

/**
 * avsc's cursor over bytes. Its readers run past the end and may be sent backwards; validity is looked at
 * last.
 */
interface Tap {
  readonly buf: Buffer;
  pos: number;
}

const require = createRequire(import.meta.url);
const { Tap: LooseTap } = require('avsc/lib/utils.js') as { readonly Tap: new (bytes: Buffer) => Tap };

/**
 * A cursor that throws as soon as a read leaves the bytes or goes backwards. Without it a corrupt count of a
 * map makes avsc loop 2^53 times, which would stop a shard without a word.
 */
export class StrictTap extends LooseTap {}

/** Only those of fixed-size values take a length. */
type Read = (this: Tap, length: unknown) => unknown;

for (const name of Object.getOwnPropertyNames(LooseTap.prototype)) {
  if (!/^(read|skip)/.test(name)) continue;
  const read = Reflect.get(LooseTap.prototype, name) as Read;
  const strict: Read = function (length) {
    const start = this.pos;
    const value = read.call(this, length);
    if (this.pos < start || this.pos > this.buf.length) {
      throw new RangeError(`a value at byte ${start} does not end within the ${this.buf.length} bytes`);
    }
    return value;
  };
  Object.defineProperty(StrictTap.prototype, name, { value: strict });
}
