/** Most records fit; for the others a buffer of their own is no matter. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * How many bytes `text` decodes to; undefined when it is not base64 with padding. Node's decoder is four times as fast
 * as a pattern and passes over what it does not know, so anything foreign makes the result too short. Only the
 * alphabet for URLs, which it knows as well, has to be looked for.
 */
export function bytesOfBase64(text: string): number | undefined {
  if (text.length % 4 !== 0 || text.includes('-') || text.includes('_')) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = (text.length / 4) * 3 - padding;
  const decoded =
    bytes <= scratch.length ? scratch.write(text, 'base64') : Buffer.from(text, 'base64').length;
  return decoded === bytes ? bytes : undefined;
}
