import { join } from 'node:path';
import { defaultOptions, type LocalOptions } from '../local/options.ts';
import { startPlatform } from '../local/platform.ts';
import type { ProcessView } from '../local/process-group.ts';
import { defineCommand, exitCode } from './command.ts';
import type { Output } from './output.ts';
import { UsageError } from './parse.ts';

const options = {
  'port-base': { kind: 'text', value: 'N', what: 'first of seven ports, default 4500; 0: any free ports' },
  'data-dir': {
    kind: 'text',
    value: 'DIR',
    what: 'keep everything here; default: a temporary folder, removed at the end',
  },
  'inbound-shards': { kind: 'text', value: 'N', what: 'shards of the inbound stream, default 2' },
  'outbound-shards': { kind: 'text', value: 'N', what: 'shards of each outbound stream, default 1' },
  scale: { kind: 'list', value: 'SERVICE=N', what: 'processes of a worker service, default 1' },
  set: { kind: 'list', value: 'SERVICE.NAME=TEXT', what: 'a setting of a service, as in its config.ts' },
} as const;

export const local = defineCommand({
  path: ['local'],
  summary: 'runs the whole platform on this machine, with its dashboard, until Ctrl-C',
  positionals: [],
  options,
  examples: [
    'weir local --data-dir .data --scale router=2',
    'weir local --set detector.HIGH_VALUE_THRESHOLD=100',
  ],
  run: async ({ given, output, signal }) => {
    const startedAt = performance.now();
    const platform = await startPlatform(localOptions(given), {
      projectDir: join(import.meta.dirname, '..'),
      onChange: (view) => announce(view, output),
      onStep: (text) => output.note(text),
    });
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    const urls = { dashboard: platform.queryUrl, ingest: platform.ingestUrl, data_dir: platform.dataDir };
    output.result({ ready: true, seconds: Number(seconds), ...urls }, () => welcome(seconds, urls));
    const stopped = new Promise<'stopped'>((resolve) => {
      signal.addEventListener('abort', () => resolve('stopped'), { once: true });
      if (signal.aborted) resolve('stopped');
    });
    try {
      await Promise.race([stopped, platform.failed]);
      output.note('stopping: services drain first');
    } finally {
      await platform.stop();
    }
    return exitCode.ok;
  },
});

interface Urls {
  readonly dashboard: string;
  readonly ingest: string;
  readonly data_dir: string;
}

function welcome(seconds: string, urls: Urls): string {
  return [
    '',
    `The platform is up after ${seconds} s.`,
    `  dashboard and API  ${urls.dashboard}`,
    `  ingest             ${urls.ingest}/v1/events`,
    `  data and logs      ${urls.data_dir}`,
    'Send a file with  ./bin/weir send FILE  and stop with Ctrl-C.',
  ].join('\n');
}

const nameWidth = 14;

function announce(view: ProcessView, output: Output): void {
  output.note(`  ${view.name.padEnd(nameWidth)}${describe(view)}`);
}

function describe(view: ProcessView): string {
  const { state } = view;
  switch (state.type) {
    case 'starting':
      return 'starting';
    case 'up': {
      const ports = Object.entries(state.ports).map(([name, port]) =>
        name === 'http' ? `${port}` : `${name} ${port}`,
      );
      return `up        port ${ports.join(', ')}, process ${view.pid}`;
    }
    case 'waiting':
      return `${state.why}; again in ${state.forMs} ms (restart ${view.restarts})`;
    case 'failed':
      return `failed: ${state.why}`;
    case 'stopped':
      return 'stopped';
  }
}

/** @throws UsageError when a flag cannot be read; ranges are checked by the platform itself, all at once. */
function localOptions(
  given: {
    readonly [K in keyof typeof options]: (typeof options)[K]['kind'] extends 'list'
      ? readonly string[]
      : string | undefined;
  },
): LocalOptions {
  return {
    portBase: wholeNumber('--port-base', given['port-base']) ?? defaultOptions.portBase,
    dataDir: given['data-dir'],
    inboundShards: wholeNumber('--inbound-shards', given['inbound-shards']) ?? defaultOptions.inboundShards,
    outboundShards:
      wholeNumber('--outbound-shards', given['outbound-shards']) ?? defaultOptions.outboundShards,
    scale: Object.fromEntries(
      given.scale.map((text) => {
        const [name, value] = splitOnce(text, '=', '--scale SERVICE=N');
        return [name, wholeNumber('--scale', value) ?? 1];
      }),
    ),
    settings: settings(given.set),
  };
}

function settings(texts: readonly string[]): Record<string, Record<string, string>> {
  const all: Record<string, Record<string, string>> = {};
  for (const text of texts) {
    const [path, value] = splitOnce(text, '=', '--set SERVICE.NAME=TEXT');
    const [service, name] = splitOnce(path, '.', '--set SERVICE.NAME=TEXT');
    all[service] = { ...all[service], [name]: value };
  }
  return all;
}

function splitOnce(text: string, separator: string, form: string): readonly [string, string] {
  const at = text.indexOf(separator);
  if (at <= 0) throw new UsageError(`"${text}" is not of the form ${form}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new UsageError(`${flag} ${text}: give a whole number`);
  return Number(text);
}
