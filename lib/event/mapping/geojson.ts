import { messageOf } from '../../runtime/errors.ts';
import { isMapping } from '../rule-file.ts';
import { brokenFile } from './file-bytes.ts';
import type { RawRecord } from './raw-record.ts';

/**
 * A collection is one JSON text, so it is read whole; larger ones should be one feature per line (ndjson).
 */
const maxCollectionBytes = 256 * 1_024 * 1_024;

/**
 * The features of a FeatureCollection (RFC 7946) in their order. Throws `broken-file` if the text is none.
 */
export async function* featureRecords(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawRecord> {
  const features = featuresOf(await readAll(chunks));
  for (const [i, feature] of features.entries()) {
    const line = i + 1;
    const raw = (): string => JSON.stringify(feature);
    if (isMapping(feature) && feature['type'] === 'Feature') yield { line, row: feature, raw };
    else yield { line, broken: 'the entry of "features" is no Feature', raw };
  }
}

async function readAll(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxCollectionBytes) {
      const advice = 'write it as one feature per line and map it as ndjson';
      throw brokenFile(`it is larger than ${maxCollectionBytes} bytes: ${advice}`);
    }
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString();
}

function featuresOf(text: string): readonly unknown[] {
  let collection: unknown;
  try {
    collection = JSON.parse(text);
  } catch (error) {
    throw brokenFile(`it is not valid JSON (${messageOf(error)})`, error);
  }
  const features = isMapping(collection) ? collection['features'] : undefined;
  if (!Array.isArray(features)) throw brokenFile('it has no list "features"');
  return features;
}
