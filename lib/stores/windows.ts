import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { PlatformError } from '../runtime/errors.ts';
import { getItems, putItems, sendOptions, type TablePort } from './batches.ts';
import { inFlight } from './in-flight.ts';
import type { Page } from './page.ts';
import { allItems, type KeyRange } from './query-items.ts';
import {
  dayOf,
  daysFrom,
  fromEntryItem,
  fromPartItem,
  isoOf,
  partKey,
  type ShardWatermark,
  toEntryItem,
  toPartItem,
  toWatermarkItem,
  windowsKey,
} from './window-items.ts';
import { listWindows, type WindowFilter } from './window-list.ts';
import type { MarkEntry } from './window-marks.ts';
import { type BucketKey, bucketName, bucketStartMs, type WindowPart } from './window-parts.ts';
import type { WindowRow } from './window-rows.ts';
import { putUnless, readWatermarks, savePassed, type Watermarks } from './window-watermarks.ts';

/** Starts of windows of one size, half-open [fromMs, toMs), all on one day. */
export interface StartRange {
  readonly definition: string;
  readonly sizeMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The writer of an acquisition: an older fence never overwrites what a newer one wrote. */
export interface WindowWriter {
  readonly fence: number;
  readonly nowMs: number;
}

/** Table `windows`; keys and items: window-items.ts. All reads are consistent. */
export interface WindowStore {
  /** The parts of each bucket in order, none where it has none; by `bucketName`. */
  readonly load: (
    keys: readonly BucketKey[],
    signal?: AbortSignal,
  ) => Promise<ReadonlyMap<string, readonly WindowPart[]>>;
  /**
   * Writes each part, in no order, unless the stored one includes as much already. (A late write of the shard's previous
   * owner: the same records give the same counts, so it is as good as ours.) Others may have been written when it throws.
   * @throws PlatformError `fenced-out` when a newer owner has written
   */
  readonly save: (parts: readonly WindowPart[], writer: WindowWriter, signal?: AbortSignal) => Promise<void>;
  /** Enters days into the directory; before the parts, so that none can be missed. */
  readonly addDays: (definition: string, days: readonly string[], signal?: AbortSignal) => Promise<void>;
  readonly days: (definition: string, fromDay: string, signal?: AbortSignal) => Promise<readonly string[]>;
  /** Of all buckets that have windows of the range. */
  readonly parts: (range: StartRange, signal?: AbortSignal) => Promise<readonly WindowPart[]>;
  /** Of all buckets that have windows of the range, in order. */
  readonly marks: (range: StartRange, signal?: AbortSignal) => Promise<readonly MarkEntry[]>;
  /** False: this entry exists already, from whoever was first. */
  readonly addMarks: (entry: MarkEntry, nowMs: number, signal?: AbortSignal) => Promise<boolean>;
  /** @throws PlatformError `fenced-out` when a newer owner has written */
  readonly saveWatermark: (watermark: ShardWatermark, fence: number, signal?: AbortSignal) => Promise<void>;
  /** Every live shard has come so far. Less than what is stored changes nothing. */
  readonly savePassed: (passedMs: number, signal?: AbortSignal) => Promise<void>;
  readonly watermarks: (signal?: AbortSignal) => Promise<Watermarks>;
  /** Windows with what their shards counted merged: one row per window and group. */
  readonly list: (filter: WindowFilter, signal?: AbortSignal) => Promise<Page<WindowRow>>;
}

/** One connection pool (50 sockets) serves several shards. */
const writesInFlightMax = 8;
/** Somebody else wrote between our write and our look at it; a second time in a row is already rare. */
const triesMax = 5;

export function createWindowStore(port: TablePort): WindowStore {
  return {
    load: (keys, signal) => loadBuckets(port, keys, signal),
    save: async (parts, writer, signal) => {
      await inFlight(parts, writesInFlightMax, (part) => savePart(port, part, writer, signal));
    },
    addDays: (definition, days, signal) =>
      putItems(
        port,
        days.map((day) => ({ pk: 'days', sk: windowsKey(definition, day) })),
        signal,
      ),
    days: async (definition, fromDay, signal) => {
      const items = await allItems(port, daysFrom(definition, fromDay), signal);
      return items.map(({ sk }) => String(sk).slice(definition.length + 1));
    },
    parts: async (range, signal) => (await allItems(port, bucketsOf('p', range), signal)).map(fromPartItem),
    marks: async (range, signal) => (await allItems(port, bucketsOf('r', range), signal)).map(fromEntryItem),
    addMarks: (entry, nowMs, signal) =>
      putUnless(port, toEntryItem(entry, nowMs), { ConditionExpression: 'attribute_not_exists(pk)' }, signal),
    saveWatermark: async (watermark, fence, signal) => {
      const condition = {
        ConditionExpression: 'attribute_not_exists(pk) OR fence <= :fence',
        ExpressionAttributeValues: { ':fence': fence },
      };
      const written = await putUnless(port, toWatermarkItem(watermark, fence), condition, signal);
      if (!written) throw fencedOut(watermark.shard);
    },
    savePassed: (passedMs, signal) => savePassed(port, passedMs, signal),
    watermarks: (signal) => readWatermarks(port, signal),
    list: (filter, signal) => listWindows(port, filter, signal),
  };
}

/**
 * A bucket goes on in the next part only when one is full. If a crash left the next one without that, the checkpoint
 * was not written either: all that the next one has comes again.
 */
async function loadBuckets(
  port: TablePort,
  keys: readonly BucketKey[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly WindowPart[]>> {
  const options = { consistent: true, ...(signal ? { signal } : {}) };
  const buckets = new Map(keys.map((key): [string, WindowPart[]] => [bucketName(key), []]));
  let open = keys;
  for (let number = 0; open.length > 0; number += 1) {
    const wanted = open.map((key) => partKey({ ...key, number }));
    const found = (await getItems(port, wanted, options)).map(fromPartItem);
    for (const part of found) buckets.get(bucketName(part))?.push(part);
    open = found.filter(({ full }) => full);
  }
  return buckets;
}

async function savePart(
  port: TablePort,
  part: WindowPart,
  { fence, nowMs }: WindowWriter,
  signal?: AbortSignal,
): Promise<void> {
  const item = toPartItem(part, fence, nowMs);
  const condition = {
    ConditionExpression: 'attribute_not_exists(pk) OR (last_position < :last AND fence <= :fence)',
    ExpressionAttributeValues: { ':last': part.lastPosition, ':fence': fence },
  };
  for (let attempt = 0; attempt < triesMax; attempt += 1) {
    if (await putUnless(port, item, condition, signal)) return;
    const { Item } = await port.client.send(
      new GetCommand({ TableName: port.table, Key: partKey(part), ConsistentRead: true }),
      sendOptions(signal),
    );
    if (Item && Number(Item['fence']) > fence) throw fencedOut(part.shard);
    if (Item && String(Item['last_position']) >= part.lastPosition) return;
  }
  throw new PlatformError('window-contended', `A part of ${part.shard} changed at every look`, {
    retryable: true,
  });
}

function bucketsOf(kind: 'p' | 'r', { definition, sizeMs, fromMs, toMs }: StartRange): KeyRange {
  // Every key of a bucket goes on with `#`, so the bare `to` shuts out the one that begins there.
  const low = `${kind}#${isoOf(bucketStartMs(fromMs, sizeMs))}`;
  const high = `${kind}#${isoOf(toMs)}`;
  return { hash: ['pk', windowsKey(definition, dayOf(fromMs))], range: 'sk', low, high };
}

function fencedOut(shard: string): PlatformError {
  return new PlatformError('fenced-out', `A newer owner of ${shard} has written: this acquisition is over`, {
    retryable: true,
  });
}
