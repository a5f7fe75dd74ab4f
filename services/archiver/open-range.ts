import type { Partition, ArchiveRange } from '../../lib/stores/archive-layout.ts';
import type { PartitionLines } from '../../lib/stores/archive.ts';
import { addDigests } from '../../lib/stores/id-digest.ts';
import type { Position } from '../../lib/stores/position-key.ts';
import type { ArchiveLine } from './line.ts';

interface Lines extends Partition {
  readonly lines: Uint8Array[];
  digest: bigint;
}

/** The records since the last cut, in memory. */
export class OpenRange {
  readonly #partitions = new Map<string, Lines>();
  #first: Position | undefined;
  #last: Position | undefined;
  #bytes = 0;
  #events = 0;
  #digest = 0n;

  /** Undefined while the range is empty. */
  get ends(): Pick<ArchiveRange, 'first' | 'last'> | undefined {
    return this.#first && this.#last ? { first: this.#first, last: this.#last } : undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get events(): number {
    return this.#events;
  }

  get digest(): bigint {
    return this.#digest;
  }

  get partitions(): readonly PartitionLines[] {
    return [...this.#partitions.values()];
  }

  add({ partition, position, bytes, digest }: ArchiveLine): void {
    const key = `${partition.date}/${partition.eventType}`;
    const lines = this.#partitions.get(key) ?? { ...partition, lines: [], digest: 0n };
    this.#partitions.set(key, lines);
    lines.lines.push(bytes);
    lines.digest = addDigests(lines.digest, digest);
    this.#first ??= position;
    this.#last = position;
    this.#bytes += bytes.length;
    this.#events += 1;
    this.#digest = addDigests(this.#digest, digest);
  }

  /** A range that grows on its own from here. */
  copy(): OpenRange {
    const copy = new OpenRange();
    for (const [key, lines] of this.#partitions)
      copy.#partitions.set(key, { ...lines, lines: [...lines.lines] });
    copy.#first = this.#first;
    copy.#last = this.#last;
    copy.#bytes = this.#bytes;
    copy.#events = this.#events;
    copy.#digest = this.#digest;
    return copy;
  }
}
