/** Calls under way at once. More would only queue in the SDK's sockets (50 by default). */
const parallel = 16;
/** Waits for all, also where one fails: a round is not over while a call of it is under way. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const failures: unknown[] = [];
  const drainQueue = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, drainQueue));
  if (failures.length > 0) throw failures[0];
}

/** In an order that differs from worker to worker, so that they rarely reach for the same thing first. */
export function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
