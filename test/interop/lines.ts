/** What a worker of either kind prints, one JSON object a line on stdout. Times are of this machine's one wall clock. */
export type Line = { readonly at: number; readonly worker: string } & LineEvent;

export type LineEvent =
  | { readonly event: 'started' }
  /** Records of a shard will be delivered from the checkpoint `from` on. */
  | { readonly event: 'begin'; readonly shard: string; readonly from: string }
  | { readonly event: 'batch'; readonly shard: string; readonly records: readonly KeyAndNumber[] }
  /** A checkpoint was refused because the lease has another owner. */
  | { readonly event: 'fenced'; readonly shard: string }
  | { readonly event: 'end'; readonly shard: string; readonly why: 'lost' | 'drained' | 'shard-end' }
  | { readonly event: 'stopped'; readonly how: string };

/** Partition key and sequence number. */
export type KeyAndNumber = readonly [string, string];

/** Writes one line at once: a killed worker has said everything up to its death. */
export function printLine(worker: string, line: LineEvent): void {
  process.stdout.write(`${JSON.stringify({ at: Date.now(), worker, ...line })}\n`);
}

/** Undefined where the line is something else, as a JVM's warning. */
export function parseLine(text: string): Line | undefined {
  return text.startsWith('{"at":') ? (JSON.parse(text) as Line) : undefined;
}
