import type { ChildProcess } from 'node:child_process';
import { firstMessage, forkScript } from './child.ts';
import type { Place } from './cloud.ts';
import { until } from './fleet.ts';
import type { Usage, WorkerMessage, WorkerSettings } from './messages.ts';

export { until } from './fleet.ts';

type Message<T extends WorkerMessage['type']> = Extract<WorkerMessage, { readonly type: T }>;

/** A worker process, and what it tells. */
export interface WatchedWorker {
  readonly child: ChildProcess;
  readonly runningAtMs: number;
  readonly on: <T extends WorkerMessage['type']>(type: T, hear: (message: Message<T>) => void) => void;
  /** The first message of this type, if it has come already or comes within `withinMs`. */
  readonly next: <T extends WorkerMessage['type']>(type: T, withinMs: number) => Promise<Message<T>>;
  /** What it has done by now. */
  readonly usage: () => Promise<Usage>;
}

const usageMs = 10_000;

/** Resolves when its consumer runs. `nodeOptions`: for the process, e.g. a profiler. */
export async function startWorker(
  place: Place,
  settings: Omit<WorkerSettings, keyof Place>,
  nodeOptions: readonly string[] = [],
): Promise<WatchedWorker> {
  const child = forkScript('worker.ts', JSON.stringify({ ...settings, ...place }), nodeOptions);
  return watch(child, settings.workerId);
}

/** Of any script that speaks as worker.ts does. */
export async function watch(child: ChildProcess, what: string): Promise<WatchedWorker> {
  const heard: WorkerMessage[] = [];
  const hear: ((message: WorkerMessage) => void)[] = [(message) => void heard.push(message)];
  child.on('message', (message) => {
    for (const each of hear) each(message as WorkerMessage);
  });
  const { atMs } = await firstMessage<WorkerMessage>(child, what);
  const find = <T extends WorkerMessage['type']>(type: T, from: number): Message<T> | undefined =>
    heard.slice(from).find((message): message is Message<T> => message.type === type);
  const nextAfter = async <T extends WorkerMessage['type']>(
    type: T,
    from: number,
    withinMs: number,
  ): Promise<Message<T>> => {
    await until(`${type} of ${what}`, () => find(type, from) !== undefined, withinMs, child);
    return find(type, from) as Message<T>;
  };
  return {
    child,
    runningAtMs: atMs,
    on: (type, listener) => {
      const tell = (message: WorkerMessage): void => {
        if (message.type === type) listener(message as Message<typeof type>);
      };
      heard.forEach(tell);
      hear.push(tell);
    },
    next: (type, withinMs) => nextAfter(type, 0, withinMs),
    usage: async () => {
      const from = heard.length;
      child.send('usage');
      return (await nextAfter('usage', from, usageMs)).usage;
    },
  };
}
