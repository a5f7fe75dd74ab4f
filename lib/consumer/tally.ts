import { hash } from 'node:crypto';
import type { SavedValue } from '../leases/saved-state.ts';
import type { Tally, TallyEntry } from './events.ts';

/** A 128-bit sum as four 32-bit words, the highest first; a word may run over until `carry`. */
type Words = [number, number, number, number];

interface Entry {
  count: number;
  readonly words: Words;
  /** Additions since the last carry. */
  added: number;
}

const wordSize = 2 ** 32;

/** So many words of 32 bits fit in a number's 53 bits without loss. */
const addedMax = 2 ** 20;

/**
 * Counts and digests per outcome. The digest is the sum mod 2^128 of the first 16 bytes of SHA-256(event id): the
 * order of events does not matter, and the sums of parts add up to the sum of the whole.
 */
export class TallyBook {
  readonly #entries = new Map<string, Entry>();

  /** From what `save` gave; anything that is not a tally's entry is left out. */
  static load(saved: SavedValue | undefined): TallyBook {
    const book = new TallyBook();
    if (typeof saved !== 'object' || saved instanceof Uint8Array || Array.isArray(saved)) return book;
    for (const [outcome, value] of Object.entries(saved)) {
      const entry = value as Partial<TallyEntry>;
      if (typeof entry.count !== 'number' || typeof entry.digest !== 'string') continue;
      book.#merge(outcome, entry.count, wordsOf(entry.digest));
    }
    return book;
  }

  add(outcome: string, eventId: string): void {
    const digest = hash('sha256', eventId, 'buffer');
    const entry = this.#entry(outcome);
    entry.count += 1;
    for (let word = 0; word < 4; word += 1) {
      entry.words[word as 0 | 1 | 2 | 3] += digest.readUInt32BE(word * 4);
    }
    entry.added += 1;
    if (entry.added >= addedMax) carry(entry);
  }

  /** Adds all that another book has. */
  absorb(other: TallyBook): void {
    for (const [outcome, entry] of other.#entries) {
      carry(entry);
      this.#merge(outcome, entry.count, entry.words);
    }
  }

  save(): Tally {
    const tally: Record<string, TallyEntry> = {};
    for (const [outcome, entry] of this.#entries) {
      carry(entry);
      const digest = entry.words.map((word) => word.toString(16).padStart(8, '0')).join('');
      tally[outcome] = { count: entry.count, digest };
    }
    return tally;
  }

  #merge(outcome: string, count: number, words: Words): void {
    const entry = this.#entry(outcome);
    entry.count += count;
    for (const word of [0, 1, 2, 3] as const) entry.words[word] += words[word];
    carry(entry);
  }

  #entry(outcome: string): Entry {
    const known = this.#entries.get(outcome);
    if (known) return known;
    const entry: Entry = { count: 0, words: [0, 0, 0, 0], added: 0 };
    this.#entries.set(outcome, entry);
    return entry;
  }
}

/** The tally of two parts together, e.g. of two shards. */
export function addTallies(a: Tally, b: Tally): Tally {
  const sum = TallyBook.load(a);
  sum.absorb(TallyBook.load(b));
  return sum.save();
}

function carry(entry: Entry): void {
  let over = 0;
  for (const word of [3, 2, 1, 0] as const) {
    const sum = entry.words[word] + over;
    entry.words[word] = sum % wordSize;
    over = Math.floor(sum / wordSize);
  }
  entry.added = 0;
}

function wordsOf(digest: string): Words {
  const word = (at: number): number => Number.parseInt(digest.slice(at * 8, at * 8 + 8), 16);
  return [word(0), word(1), word(2), word(3)];
}
