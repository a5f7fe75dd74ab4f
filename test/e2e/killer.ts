import type { Platform } from '../../local/platform.ts';
import { createRandom } from '../support/random.ts';

/** Who may be killed: everything that is not a stand-in. */
const victims = ['ingest', 'router', 'event-store', 'archiver', 'aggregator', 'alerter', 'detector', 'query'];

export interface Killer {
  /** No more kills; resolves with who was killed, in order. */
  readonly stop: () => Promise<readonly string[]>;
}

/** Kills (SIGKILL) a random service at a steady pace until it is stopped. The seed says who. */
export function startKiller(
  platform: Platform,
  options: { readonly seed: number; readonly everyMs: number },
): Killer {
  const random = createRandom(options.seed);
  const killed: string[] = [];
  const timer = setInterval(() => {
    const victim = victims[Math.floor(random() * victims.length)] ?? 'router';
    if (platform.signal(victim, 'SIGKILL')) killed.push(victim);
  }, options.everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      return killed;
    },
  };
}
