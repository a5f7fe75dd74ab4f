/** A record as it stands in the JSON of GetRecords and SubscribeToShard; `Data` is already bytes. */
export interface WireRecord {
  readonly SequenceNumber?: string;
  readonly PartitionKey?: string;
  readonly Data?: Uint8Array;
  /** Seconds since 1970, with a fraction. */
  readonly ApproximateArrivalTimestamp?: number;
}

const dataName = Buffer.from('"Data"');
const [colon, quote] = [0x3a, 0x22];
const whiteSpace = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * The JSON object in `body`, with the base64 of each `"Data"` decoded where it stands: the data are views of `body`,
 * so nothing of a 10 MiB page is held twice, and JSON.parse sees only the little that is between them.
 * Throws a SyntaxError where the body is not JSON, or its data not base64.
 */
export function parseRecordsBody(body: Buffer): object {
  const data: Uint8Array[] = [];
  const frame: string[] = [];
  let at = 0;
  for (let start = dataAt(body, at); start !== -1; start = dataAt(body, at)) {
    const end = body.indexOf(quote, start);
    // Its number takes the place of the text.
    frame.push(body.toString('utf8', at, start), String(data.length));
    data.push(decodeInPlace(body, start, end === -1 ? body.length : end));
    at = end === -1 ? body.length : end;
  }
  frame.push(body.toString('utf8', at));
  const parsed = JSON.parse(frame.join('')) as { Records?: { Data?: unknown }[] | null };
  for (const record of parsed.Records ?? []) {
    record.Data = typeof record.Data === 'string' ? data[Number(record.Data)] : undefined;
  }
  return parsed;
}

/**
 * Where the text of the next `"Data"` begins, or -1. A name ends with a colon; as the value of a key, or the end of
 * one, the same bytes do not, and inside of a text their quotes would be escaped.
 */
function dataAt(body: Buffer, from: number): number {
  for (let name = body.indexOf(dataName, from); name !== -1; name = body.indexOf(dataName, name + 1)) {
    const separator = afterSpace(body, name + dataName.length);
    if (body[separator] !== colon) continue;
    const value = afterSpace(body, separator + 1);
    if (body[value] === quote) return value + 1;
  }
  return -1;
}

function afterSpace(body: Buffer, from: number): number {
  let at = from;
  while (whiteSpace.has(body[at] ?? -1)) at += 1;
  return at;
}

function decodeInPlace(body: Buffer, start: number, end: number): Uint8Array {
  const raw = body.toString('latin1', start, end);
  // JSON allows for an escaped slash, and for any other escaped character; Kinesis sends none.
  const text = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
  const length = body.write(text, start, 'base64');
  if (length !== Buffer.byteLength(text, 'base64')) throw new SyntaxError('Data that is not base64');
  // No Buffer: the `slice` of one is a view as well, and nobody would expect that of bytes.
  return new Uint8Array(body.buffer, body.byteOffset + start, length);
}
