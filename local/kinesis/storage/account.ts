import { notFound, ServiceError } from '../errors.ts';
import { Stream, type StreamJournal } from './stream.ts';
import type { Memory } from './shard-log.ts';
import { createState, statusOf, type NewStream } from './stream-state.ts';

export interface Identity {
  readonly region: string;
  readonly accountId: string;
}

/** Opens the journal of a new stream. */
export type OpenJournal = (name: string, createdAtMs: number) => StreamJournal;

/** Every stream of one account in one region. */
export class Account {
  readonly identity: Identity;
  readonly memory: Memory = { heldBytes: 0 };
  readonly #openJournal: OpenJournal;
  readonly #streams = new Map<string, Stream>();
  #lastCreatedAtMs = 0;

  constructor(identity: Identity, openJournal: OpenJournal) {
    this.identity = identity;
    this.#openJournal = openJournal;
  }

  streamArn(name: string): string {
    return `arn:aws:kinesis:${this.identity.region}:${this.identity.accountId}:stream/${name}`;
  }

  /** In the order of their names. */
  streams(nowMs: number): readonly Stream[] {
    for (const stream of this.#streams.values()) this.#sweep(stream, nowMs);
    return [...this.#streams.values()].toSorted((a, b) => (a.state.name < b.state.name ? -1 : 1));
  }

  /** Trimmed to its retention; throws ResourceNotFoundException. */
  stream(name: string, nowMs: number): Stream {
    const found = this.#streams.get(name);
    if (found) this.#sweep(found, nowMs);
    const stream = this.#streams.get(name);
    if (!stream) {
      throw notFound(`Stream ${name} under account ${this.identity.accountId} not found.`);
    }
    stream.trim(nowMs);
    return stream;
  }

  /** Also throws where records cannot be put: the stream is not there until it was ACTIVE once. */
  writableStream(name: string, nowMs: number): Stream {
    const stream = this.stream(name, nowMs);
    const status = statusOf(stream.state, nowMs);
    if (status === 'CREATING' || status === 'DELETING') {
      throw notFound(`Stream ${name} under account ${this.identity.accountId} not found.`);
    }
    return stream;
  }

  /** For changes: throws ResourceInUseException unless the stream is ACTIVE. */
  activeStream(name: string, nowMs: number): Stream {
    const stream = this.stream(name, nowMs);
    const status = statusOf(stream.state, nowMs);
    if (status !== 'ACTIVE') {
      throw new ServiceError(
        'ResourceInUseException',
        `Stream ${name} under account ${this.identity.accountId} not ACTIVE, instead in state ${status}`,
      );
    }
    return stream;
  }

  create(wanted: Omit<NewStream, 'arn' | 'createdAtMs'>, nowMs: number): void {
    for (const stream of this.#streams.values()) this.#sweep(stream, nowMs);
    if (this.#streams.has(wanted.name)) {
      const { accountId } = this.identity;
      throw new ServiceError(
        'ResourceInUseException',
        `Stream ${wanted.name} under account ${accountId} already exists.`,
      );
    }
    // The creation time is in every sequence number and tells two streams of one name apart.
    const createdAtMs = Math.max(nowMs, this.#lastCreatedAtMs + 1);
    this.#lastCreatedAtMs = createdAtMs;
    const state = createState({ ...wanted, arn: this.streamArn(wanted.name), createdAtMs });
    const journal = this.#openJournal(wanted.name, createdAtMs);
    journal.writeState(state);
    this.#streams.set(wanted.name, new Stream(state, journal, this.memory));
  }

  restore(stream: Stream): void {
    this.#streams.set(stream.state.name, stream);
    this.#lastCreatedAtMs = Math.max(this.#lastCreatedAtMs, stream.createdAtMs);
  }

  delete(stream: Stream, deletingMs: number, nowMs: number): void {
    const busy = { status: 'DELETING', untilMs: nowMs + deletingMs } as const;
    stream.change((state) => ({ ...state, busy, consumers: [] }), nowMs);
    this.#sweep(stream, nowMs);
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.close();
  }

  #sweep(stream: Stream, nowMs: number): void {
    const { busy, name } = stream.state;
    if (busy?.status !== 'DELETING' || nowMs < busy.untilMs) return;
    this.#streams.delete(name);
    stream.remove();
  }
}
