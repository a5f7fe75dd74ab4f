import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { PlatformError } from '../runtime/errors.ts';
import { getItems, type Item, putItems, sendOptions, type TablePort } from './batches.ts';
import { inFlight } from './in-flight.ts';
import type { Page } from './page.ts';
import { allItems, type KeyRange } from './query-items.ts';
import {
  allWatermarks,
  daysFrom,
  fromMarkItem,
  fromPartialItem,
  fromWatermarkItem,
  isoOf,
  type PartialKey,
  partialKey,
  type ShardWatermark,
  toMarkItem,
  toPartialItem,
  toWatermarkItem,
  type WindowMark,
  type WindowPartial,
  windowsKey,
} from './window-items.ts';
import { listWindows, type WindowFilter, type WindowRow } from './window-list.ts';

/** Starts of windows, half-open [fromMs, toMs), all on one day. */
export interface StartRange {
  readonly definition: string;
  readonly day: string;
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
  /** Those that exist. */
  readonly load: (keys: readonly PartialKey[], signal?: AbortSignal) => Promise<readonly WindowPartial[]>;
  /**
   * Writes each partial unless the stored one includes as much already; gives back the stored ones that do. (A late
   * write of the shard's previous owner: the same records give the same counts, so it is as good as ours.)
   * @throws PlatformError `fenced-out` when a newer owner has written
   */
  readonly save: (
    partials: readonly WindowPartial[],
    writer: WindowWriter,
    signal?: AbortSignal,
  ) => Promise<readonly WindowPartial[]>;
  /** Enters days into the directory; before the partials, so that none can be missed. */
  readonly addDays: (definition: string, days: readonly string[], signal?: AbortSignal) => Promise<void>;
  readonly days: (definition: string, fromDay: string, signal?: AbortSignal) => Promise<readonly string[]>;
  readonly partials: (range: StartRange, signal?: AbortSignal) => Promise<readonly WindowPartial[]>;
  /** Every revision, in order of start and revision. */
  readonly marks: (range: StartRange, signal?: AbortSignal) => Promise<readonly WindowMark[]>;
  /** False: this revision exists already, from whoever was first. */
  readonly addMark: (mark: WindowMark, nowMs: number, signal?: AbortSignal) => Promise<boolean>;
  /** @throws PlatformError `fenced-out` when a newer owner has written */
  readonly saveWatermark: (watermark: ShardWatermark, fence: number, signal?: AbortSignal) => Promise<void>;
  readonly watermarks: (signal?: AbortSignal) => Promise<readonly ShardWatermark[]>;
  /** Windows with their partials merged: one row per window and group. */
  readonly list: (filter: WindowFilter, signal?: AbortSignal) => Promise<Page<WindowRow>>;
}

/** One connection pool (50 sockets) serves several shards. */
const writesInFlightMax = 8;
/** Somebody else wrote between our write and our look at it; a second time in a row is already rare. */
const triesMax = 5;

export function createWindowStore(port: TablePort): WindowStore {
  return {
    load: async (keys, signal) => {
      const options = { consistent: true, ...(signal ? { signal } : {}) };
      return (await getItems(port, keys.map(partialKey), options)).map(fromPartialItem);
    },
    save: async (partials, writer, signal) => {
      const standing = await inFlight(partials, writesInFlightMax, (partial) =>
        savePartial(port, partial, writer, signal),
      );
      return standing.filter((partial) => partial !== undefined);
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
    partials: async (range, signal) =>
      (await allItems(port, startsOf('p', range), signal)).map(fromPartialItem),
    marks: async (range, signal) => (await allItems(port, startsOf('r', range), signal)).map(fromMarkItem),
    addMark: (mark, nowMs, signal) =>
      putUnless(port, toMarkItem(mark, nowMs), { ConditionExpression: 'attribute_not_exists(pk)' }, signal),
    saveWatermark: async (watermark, fence, signal) => {
      const condition = {
        ConditionExpression: 'attribute_not_exists(pk) OR fence <= :fence',
        ExpressionAttributeValues: { ':fence': fence },
      };
      const written = await putUnless(port, toWatermarkItem(watermark, fence), condition, signal);
      if (!written) throw fencedOut(watermark.shard);
    },
    watermarks: async (signal) => (await allItems(port, allWatermarks, signal)).map(fromWatermarkItem),
    list: (filter, signal) => listWindows(port, filter, signal),
  };
}

async function savePartial(
  port: TablePort,
  partial: WindowPartial,
  { fence, nowMs }: WindowWriter,
  signal?: AbortSignal,
): Promise<WindowPartial | undefined> {
  const item = toPartialItem(partial, fence, nowMs);
  const condition = {
    ConditionExpression: 'attribute_not_exists(pk) OR (last_position < :last AND fence <= :fence)',
    ExpressionAttributeValues: { ':last': partial.lastPosition, ':fence': fence },
  };
  for (let attempt = 0; attempt < triesMax; attempt += 1) {
    if (await putUnless(port, item, condition, signal)) return undefined;
    const { Item } = await port.client.send(
      new GetCommand({ TableName: port.table, Key: partialKey(partial), ConsistentRead: true }),
      sendOptions(signal),
    );
    if (Item && Number(Item['fence']) > fence) throw fencedOut(partial.shard);
    if (Item && String(Item['last_position']) >= partial.lastPosition) return fromPartialItem(Item);
  }
  throw new PlatformError('window-contended', `A partial of ${partial.shard} changed at every look`, {
    retryable: true,
  });
}

/** False when the condition was not met. */
async function putUnless(
  port: TablePort,
  item: Item,
  condition: {
    readonly ConditionExpression: string;
    readonly ExpressionAttributeValues?: Record<string, unknown>;
  },
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const command = new PutCommand({ TableName: port.table, Item: { ...item }, ...condition });
    await port.client.send(command, sendOptions(signal));
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

function startsOf(kind: 'p' | 'r', { definition, day, fromMs, toMs }: StartRange): KeyRange {
  // Every key of a start goes on with `#`, so the bare `to` shuts them out.
  const [low, high] = [`${kind}#${isoOf(fromMs)}`, `${kind}#${isoOf(toMs)}`];
  return { hash: ['pk', windowsKey(definition, day)], range: 'sk', low, high };
}

function fencedOut(shard: string): PlatformError {
  return new PlatformError('fenced-out', `A newer owner of ${shard} has written: this acquisition is over`, {
    retryable: true,
  });
}
