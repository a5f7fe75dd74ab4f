/** Every interval of the protocol follows from the failover time; reasons stand beside the factors. */
export interface Timings {
  /** A lease that nobody has written for this long, as seen by an observer, may be taken. Equal in the fleet. */
  readonly failoverMs: number;
  /**
   * A lease is renewed when no write was confirmed for this long. 0.582: at most 60 % of the writes of the Java KCL
   * (a third of the failover time) with a pulse for 20 leases, and still room for two tries before the deadline.
   */
  readonly renewMs: number;
  /** A worker considers a lease its own for this long after the send time of the last confirmed write. */
  readonly ownMs: number;
  /** How long the owner may take to finish its work once it was asked to hand over; KCL 3 gives itself the same. */
  readonly handoffMs: number;
  /** How often a worker asks for leases given to it or asked of it, and re-reads those that look stale. */
  readonly pollMs: number;
  /** How often whoever is on duty looks at the pulses of all processes: a query of the few items that are marked. */
  readonly pulseMs: number;
  /** How often the table is read through where its leases are the only sign that their owners live. */
  readonly surveyMs: number;
  /** Read units that surveys may cost the whole fleet each second while every worker makes its own. */
  readonly surveyUnitsPerSecond: number;
  /** How often shards and leases are compared; leases are also made where a parent ends, so this is repair. */
  readonly syncMs: number;
  /** How far the wall clock may drift from the monotonic one before it counts as a jump. */
  readonly clockToleranceMs: number;
  /** Pause after a call to the table that failed. */
  readonly retry: { readonly firstMs: number; readonly maxMs: number };
}

export function timingsFor(failoverMs: number, surveyUnitsPerSecond = 5): Timings {
  const pollMs = Math.min(1_000, failoverMs / 10);
  return {
    failoverMs,
    renewMs: Math.round(failoverMs * 0.582),
    // The margin covers the difference in rate of two machines' clocks, and the pause between looking and acting.
    ownMs: Math.round(failoverMs * 0.9),
    handoffMs: 30_000,
    pollMs,
    // Two surveys see the same counter at most failoverMs + surveyMs after the last renewal.
    surveyMs: failoverMs * 0.3,
    surveyUnitsPerSecond,
    pulseMs: failoverMs / 5,
    syncMs: 60_000,
    clockToleranceMs: failoverMs / 10,
    retry: { firstMs: failoverMs / 100, maxMs: failoverMs / 10 },
  };
}

/** For a lease store: short enough that one hung request leaves time for another before the deadline. */
export function leaseRequestMs(failoverMs: number): number {
  return Math.floor(failoverMs * 0.15);
}
