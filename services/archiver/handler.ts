import type { EventHandler, EventRecord } from '../../lib/consumer/events.ts';
import { ShardStopped } from '../../lib/consumer/failures.ts';
import type { ShardContext, ShardStart } from '../../lib/consumer/processor.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { assert, PlatformError } from '../../lib/runtime/errors.ts';
import { rangeId, writeRange, type WrittenRange } from '../../lib/stores/archive.ts';
import type { ArchiveRange } from '../../lib/stores/archive-layout.ts';
import type { Bus, BusMessage } from '../../lib/stores/bus.ts';
import { digestText } from '../../lib/stores/id-digest.ts';
import type { Objects } from '../../lib/stores/objects.ts';
import { type Position, positionText } from '../../lib/stores/position-key.ts';
import {
  type Chain,
  chainOf,
  type Cut,
  formatCuts,
  isBefore,
  noChain,
  pendingCuts,
  toState,
} from './cuts.ts';
import { lineOf } from './line.ts';
import { OpenRange } from './open-range.ts';

export interface ArchiverOptions {
  readonly objects: Objects;
  readonly bus: Bus;
  readonly clock: Clock;
  /** A range is cut when its lines have so many bytes, or when it has been open for so long. */
  readonly rangeBytesMax: number;
  readonly rangeMsMax: number;
}

/** More partitions than this in one range would be thousands of tiny objects: cut earlier. */
const partitionsMax = 500;

interface Progress {
  readonly range: OpenRange;
  readonly chain: Chain;
  /** Cuts of an earlier owner that are still to be repeated. */
  readonly repeat: readonly Cut[];
}

/**
 * One per acquisition of a shard. Every flush is a cut: the pending checkpoint first, then the objects, the manifest, a
 * notice on the bus (at least once), and last, by the loop, the checkpoint. A new owner that finds a pending range
 * repeats exactly its cuts, so it makes the same objects, whatever its own limits and clock say.
 */
export function createArchiverHandler(options: ArchiverOptions): EventHandler {
  return new Archiver(options);
}

class Archiver implements EventHandler {
  readonly #options: ArchiverOptions;
  #progress: Progress = { range: new OpenRange(), chain: noChain, repeat: [] };
  /** Since the last checkpoint that is known to be written. */
  #cuts: readonly Cut[] = [];
  #openSinceMs: number | undefined;

  constructor(options: ArchiverOptions) {
    this.#options = options;
  }

  async start(start: ShardStart): Promise<void> {
    const repeat = pendingCuts(start);
    this.#progress = { range: new OpenRange(), chain: chainOf(start.state), repeat };
    this.#cuts = repeat;
    this.#openSinceMs = undefined;
  }

  async handle(events: readonly EventRecord[], context: ShardContext): Promise<readonly string[]> {
    const lines = events.map(lineOf);
    let progress = this.#progress;
    // Only a repeated cut can fail half-way; then what was added must be as if it never had been.
    if (progress.repeat.length > 0) progress = { ...progress, range: progress.range.copy() };
    for (const line of lines) {
      progress = await this.#repeatCuts(progress, (cut) => isBefore(cut, line.position), context);
      progress.range.add(line);
    }
    this.#progress = progress;
    this.#openSinceMs ??= this.#options.clock.monotonic();
    return events.map(() => 'archived');
  }

  wantsCheckpoint(): boolean {
    const { range } = this.#progress;
    if (this.#openSinceMs === undefined || range.ends === undefined) return false;
    const { clock, rangeBytesMax, rangeMsMax } = this.#options;
    const isFull = range.bytes >= rangeBytesMax || range.partitions.length >= partitionsMax;
    return isFull || clock.monotonic() - this.#openSinceMs >= rangeMsMax;
  }

  async flush(upTo: Position, context: ShardContext): ReturnType<EventHandler['flush']> {
    this.#progress = await this.#repeatCuts(this.#progress, (cut) => !isBefore(upTo, cut), context);
    const [unfinished] = this.#progress.repeat;
    if (unfinished) {
      const [at, end] = [positionText(upTo), positionText(unfinished.upTo)];
      throw new ShardStopped(
        'archive-range-pending',
        `The range up to ${end} must be repeated whole, not to ${at}`,
      );
    }
    if (this.#progress.range.ends !== undefined) await this.#cut(upTo, context);
    return toState(this.#progress.chain);
  }

  /** The cuts up to here are never to be repeated again. */
  async checkpointed(upTo: Position): Promise<void> {
    this.#cuts = this.#cuts.filter((cut) => isBefore(upTo, cut.upTo));
  }

  async #cut(upTo: Position, context: ShardContext): Promise<void> {
    const { range } = this.#progress;
    const cut = { upTo, events: range.events, digest: digestText(range.digest) };
    const isNew = this.#cuts.every((known) => isBefore(known.upTo, upTo));
    const cuts = isNew ? [...this.#cuts, cut] : this.#cuts;
    await context.prepareCheckpoint(upTo, formatCuts(cuts));
    this.#cuts = cuts;
    this.#progress = await this.#write(this.#progress, upTo, context);
    this.#openSinceMs = undefined;
  }

  /** Repeats the cuts of an earlier owner that are due, in order. */
  async #repeatCuts(
    progress: Progress,
    isDue: (upTo: Position) => boolean,
    context: ShardContext,
  ): Promise<Progress> {
    let current = progress;
    for (const cut of progress.repeat) {
      if (!isDue(cut.upTo)) break;
      checkSame(current.range, cut, context);
      const written = await this.#write(current, cut.upTo, context);
      current = { ...written, repeat: current.repeat.slice(1) };
    }
    return current;
  }

  async #write(
    progress: Progress,
    upTo: Position,
    { stream, shardId, signal }: ShardContext,
  ): Promise<Progress> {
    const { chain } = progress;
    const { ends, partitions } = progress.range;
    assert(ends, `The range of ${stream}/${shardId} up to ${positionText(upTo)} is empty`);
    const range: ArchiveRange = {
      stream,
      shard: shardId,
      number: chain.number + 1,
      after: chain.upTo,
      ...ends,
      upTo,
      previous: chain.sha256,
    };
    const written = await orOutage(writeRange(this.#options.objects, range, partitions, signal));
    await this.#options.bus.send([noticeOf(range, written)], signal);
    const next: Chain = { number: range.number, upTo: positionText(upTo), sha256: written.sha256 };
    return { ...progress, range: new OpenRange(), chain: next };
  }
}

function checkSame(range: OpenRange, cut: Cut, { stream, shardId }: ShardContext): void {
  if (range.events === cut.events && digestText(range.digest) === cut.digest) return;
  throw new ShardStopped(
    'archive-range-changed',
    `The range of ${stream}/${shardId} up to ${positionText(cut.upTo)} had ${cut.events} events and now has ` +
      `${range.events}, or others: were records trimmed before they were archived? See docs/operations.md`,
  );
}

/** What S3 refuses is no record's fault: a conflict stops the shard, everything else is tried again without end. */
async function orOutage(writing: Promise<WrittenRange>): Promise<WrittenRange> {
  try {
    return await writing;
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'archive-conflict') {
      throw new ShardStopped(error.code, error.message, { cause: error });
    }
    throw new PlatformError('lake-unavailable', 'The lake did not take a range', {
      retryable: true,
      cause: error,
    });
  }
}

function noticeOf(range: ArchiveRange, { key, manifest, sha256 }: WrittenRange): BusMessage {
  const { stream, shard, number, events, first, last } = manifest;
  const about = { stream, shard, number, events, first, last, objects: manifest.objects.length };
  const body = JSON.stringify({ manifest: key, sha256, ...about });
  return { id: rangeId(range), kind: 'archived', type: 'archived', body };
}
