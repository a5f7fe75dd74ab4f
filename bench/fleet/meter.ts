import type { CallCounts } from './call-counts.ts';
import type { Usage } from './messages.ts';

const noCalls: CallCounts = { total: {}, perSecondMax: {}, perShardSecondMax: {} };

/** What a reading process has done, and what it took: of every reader in the same way. */
export class Meter {
  records = 0;
  bytes = 0;
  readonly #wanted: number;
  #sinceMs = 0;
  #warm: { readonly records: number; readonly bytes: number; readonly cpuMs: number } | undefined;

  /** `wanted`: the records after which the usage is to be told. */
  constructor(wanted = Number.POSITIVE_INFINITY) {
    this.#wanted = wanted;
  }

  /** Here begins what `cpuMs` counts. */
  begin(): void {
    this.#sinceMs = processCpuMs();
  }

  /** True at the call that reaches the wanted number. */
  add(records: number, bytes: number): boolean {
    const before = this.records;
    this.records += records;
    this.bytes += bytes;
    if (this.records >= this.#wanted / 4)
      this.#warm ??= { records: this.records, bytes: this.bytes, cpuMs: processCpuMs() };
    return before < this.#wanted && this.records >= this.#wanted;
  }

  cpuMs(): number {
    return processCpuMs() - this.#sinceMs;
  }

  usage(calls: CallCounts = noCalls): Usage {
    const { bytes, records } = this;
    const whole = processCpuMs();
    return {
      records,
      bytes,
      cpuMs: this.cpuMs(),
      processCpuMs: whole,
      ...(this.#warm && {
        warm: {
          records: records - this.#warm.records,
          bytes: bytes - this.#warm.bytes,
          cpuMs: whole - this.#warm.cpuMs,
        },
      }),
      peakBytes: process.resourceUsage().maxRSS * 1_024,
      calls,
    };
  }
}

/** User and system, since the process began. */
function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
