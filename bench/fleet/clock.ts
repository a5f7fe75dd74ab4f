/** CLOCK_MONOTONIC in milliseconds: the same for all processes of a machine, unlike performance.now(). */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
