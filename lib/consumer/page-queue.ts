import type { ChildShard, RawRecord } from '../streams/kinesis.ts';
import type { Grant } from './byte-budget.ts';

/** What one read brought. */
export interface Page {
  readonly records: readonly RawRecord[];
  /** Of the records' data. */
  readonly bytes: number;
  /** Memory that the page takes. */
  readonly heldBytes: number;
  /** MillisBehindLatest: 0 means that the shard had nothing more when it was read. */
  readonly lagMs: number;
  /** Wall clock just before the read was sent. */
  readonly readAtMs: number;
  /** Everything that arrived before this time has been read, or was told as lost; undefined where that is not known. */
  readonly readThroughMs: number | undefined;
}

export type ReadItem =
  | { readonly type: 'page'; readonly page: Page; readonly release: () => void }
  | { readonly type: 'end'; readonly children: readonly ChildShard[] }
  | { readonly type: 'failed'; readonly error: unknown };

/** Between the reader of a shard, which is ahead, and its loop. One of each, so one waiter on either side. */
export class PageQueue {
  readonly #pagesMax: number;
  #items: ReadItem[] = [];
  #closed = false;
  #wakeReader: (() => void) | undefined;
  #wakeLoop: (() => void) | undefined;

  constructor(pagesMax: number) {
    this.#pagesMax = pagesMax;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** Resolves when another page may be read, or when `signal` aborts. */
  room(signal: AbortSignal): Promise<void> {
    if (this.#items.length < this.#pagesMax) return Promise.resolve();
    return new Promise((resolve) => (this.#wakeReader = once(resolve, signal)));
  }

  /** Resolves when there is something to take, or when `signal` aborts. */
  filled(signal: AbortSignal): Promise<void> {
    if (this.#items.length > 0) return Promise.resolve();
    return new Promise((resolve) => (this.#wakeLoop = once(resolve, signal)));
  }

  /** A page with nothing in it holds no bytes; the others hold their grant until the loop releases it. */
  page(page: Page, grant: Grant): void {
    grant.settle(page.heldBytes);
    this.push({ type: 'page', page, release: grant.release });
  }

  push(item: ReadItem): void {
    if (!this.#closed) this.#items.push(item);
    else if (item.type === 'page') item.release();
    this.#wakeLoop?.();
  }

  /** The oldest item, if there is one. */
  take(): ReadItem | undefined {
    const item = this.#items.shift();
    this.#wakeReader?.();
    return item;
  }

  /** Gives back the bytes of everything that nobody will take any more. */
  close(): void {
    this.#closed = true;
    for (const item of this.#items) if (item.type === 'page') item.release();
    this.#items = [];
  }
}

/** A wake-up call that `signal` makes too, and that leaves nothing behind on it. */
function once(resolve: () => void, signal: AbortSignal): () => void {
  const wake = (): void => {
    signal.removeEventListener('abort', wake);
    resolve();
  };
  if (signal.aborted) wake();
  else signal.addEventListener('abort', wake, { once: true });
  return wake;
}
