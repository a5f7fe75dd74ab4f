/**
 * throttle: the call, or each record of a put, fails for exceeding the throughput · drop-request: nothing happens and
 * the connection is cut · drop-response: everything happens and the connection is cut · delay: the call waits
 * `delayMs` first · expire-iterators: GetRecords says that the iterator expired · cut-connection: the connection is
 * cut in the middle of the answer; for SubscribeToShard at the next event of a running subscription.
 */
export const FAULT_VERBS = [
  'throttle',
  'drop-request',
  'drop-response',
  'delay',
  'expire-iterators',
  'cut-connection',
] as const;
export type FaultVerb = (typeof FAULT_VERBS)[number];

export interface Fault {
  readonly verb: FaultVerb;
  /** Absent means any. */
  readonly operation?: string;
  readonly stream?: string;
  readonly shardId?: string;
  /** 0 … 1, default 1. */
  readonly probability?: number;
  /** How often it strikes; absent means until it is cleared. */
  readonly count?: number;
  /** For `delay`. */
  readonly delayMs?: number;
}

export interface ArmedFault extends Fault {
  readonly id: string;
  /** How often it has struck. */
  readonly struck: number;
}

/** What a fault is compared with; a member that the call does not have matches only faults that do not name it. */
export interface FaultTarget {
  readonly operation: string;
  readonly stream?: string | undefined;
  readonly shardId?: string | undefined;
}

/** Faults armed at once; more are a mistake of a test that never clears. */
export const FAULTS_MAX = 100;

/** The faults that are armed. `random` is in [0, 1). */
export class Faults {
  readonly #random: () => number;
  #armed: readonly ArmedFault[] = [];
  #nextId = 1;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Throws RangeError where FAULTS_MAX are armed already. */
  add(fault: Fault): ArmedFault {
    if (this.#armed.length >= FAULTS_MAX) {
      throw new RangeError(`${FAULTS_MAX} faults are armed already: clear some first`);
    }
    const armed = { ...fault, id: String(this.#nextId), struck: 0 };
    this.#nextId += 1;
    this.#armed = [...this.#armed, armed];
    return armed;
  }

  list(): readonly ArmedFault[] {
    return this.#armed;
  }

  /** One, or all without `id`. Returns how many there were. */
  clear(id?: string): number {
    const kept = id === undefined ? [] : this.#armed.filter((fault) => fault.id !== id);
    const gone = this.#armed.length - kept.length;
    this.#armed = kept;
    return gone;
  }

  /** The first fault of this verb that strikes the target now; its count goes down. */
  strike(verb: FaultVerb, target: FaultTarget): ArmedFault | undefined {
    if (this.#armed.length === 0) return undefined;
    const hit = this.#armed.find(
      (fault) => fault.verb === verb && matches(fault, target) && this.#random() < (fault.probability ?? 1),
    );
    if (!hit) return undefined;
    const struck = { ...hit, struck: hit.struck + 1 };
    this.#armed = this.#armed.map((fault) => (fault === hit ? struck : fault));
    return struck;
  }
}

function matches(fault: Fault & { readonly struck: number }, target: FaultTarget): boolean {
  if (fault.count !== undefined && fault.struck >= fault.count) return false;
  return (
    (fault.operation === undefined || fault.operation === target.operation) &&
    (fault.stream === undefined || fault.stream === target.stream) &&
    (fault.shardId === undefined || fault.shardId === target.shardId)
  );
}
