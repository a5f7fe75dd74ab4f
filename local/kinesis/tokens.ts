import { crc32 } from 'node:zlib';

/**
 * Opaque texts that a caller gives back: base64 of a check sum and JSON. The service encrypts its own; callers must
 * not look into either.
 */
export interface IteratorToken {
  readonly stream: string;
  readonly createdAtMs: number;
  readonly shardIndex: number;
  /** The reader gets records with counter ≥ position. */
  readonly position: number;
  readonly issuedAtMs: number;
}

export interface PageToken {
  readonly stream: string;
  readonly createdAtMs: number;
  /** The last item of the page before. */
  readonly after: string;
  readonly issuedAtMs: number;
  /** The filter of the first call, which the following pages keep. */
  readonly filter: unknown;
}

/** Shard iterators and page tokens of the service both live for five minutes. */
export const TOKEN_LIFE_MS = 300_000;

export function formatIterator(token: IteratorToken): string {
  return seal([token.stream, token.createdAtMs, token.shardIndex, token.position, token.issuedAtMs]);
}

/** Undefined when the text is not one of ours. */
export function parseIterator(text: string): IteratorToken | undefined {
  const fields = open(text);
  if (!Array.isArray(fields) || fields.length !== 5) return undefined;
  const [stream, createdAtMs, shardIndex, position, issuedAtMs] = fields as [
    string,
    number,
    number,
    number,
    number,
  ];
  return { stream, createdAtMs, shardIndex, position, issuedAtMs };
}

export function formatPageToken(token: PageToken): string {
  return seal({ ...token });
}

export function parsePageToken(text: string): PageToken | undefined {
  const fields = open(text);
  return typeof fields === 'object' && fields !== null && 'after' in fields
    ? (fields as PageToken)
    : undefined;
}

function seal(value: unknown): string {
  const body = JSON.stringify(value);
  return Buffer.from(checkSum(body) + body, 'latin1').toString('base64');
}

function open(text: string): unknown {
  const plain = Buffer.from(text, 'base64').toString('latin1');
  const body = plain.slice(8);
  return plain.slice(0, 8) === checkSum(body) && body !== '' ? JSON.parse(body) : undefined;
}

function checkSum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
