import { ConfigError, messageOf, PlatformError } from '../lib/runtime/errors.ts';
import { alertsList } from './alerts-list.ts';
import { archiveVerify } from './archive-verify.ts';
import { type Command, exitCode, type ExitCode } from './command.ts';
import { eventsGet } from './events-get.ts';
import { eventsList } from './events-list.ts';
import { local } from './local.ts';
import { createOutput } from './output.ts';
import { findCommand, helpFor, helpForAll, parseCommandLine, UsageError } from './parse.ts';
import { send } from './send.ts';
import { status } from './status.ts';
import { version } from './version.ts';
import { windowsList } from './windows-list.ts';

/** In the order of use. */
const commands: readonly Command[] = [
  local,
  send,
  status,
  eventsGet,
  eventsList,
  windowsList,
  alertsList,
  archiveVerify,
];

async function main(words: readonly string[]): Promise<ExitCode> {
  if (words[0] === '--version') {
    process.stdout.write(`${version()}\n`);
    return exitCode.ok;
  }
  const command = findCommand(commands, words);
  if (command === undefined) {
    const known = words.length === 0 || words[0] === '--help' || words[0] === 'help';
    if (!known) throw new UsageError(`There is no verb "${words.join(' ')}"`);
    process.stdout.write(`${helpForAll(commands)}\n`);
    return exitCode.ok;
  }
  const parsed = parseCommandLine(command, words);
  if (parsed.help) {
    process.stdout.write(`${helpFor(command)}\n`);
    return exitCode.ok;
  }
  const terminal = {
    out: (text: string) => void process.stdout.write(text),
    err: (text: string) => void process.stderr.write(text),
    live: process.stderr.isTTY === true && process.env['TERM'] !== 'dumb' && process.env['CI'] === undefined,
    nowMs: () => performance.now(),
  };
  const output = createOutput(terminal, parsed);
  return command.run({ given: parsed.given, positionals: parsed.positionals, output, signal: interrupted() });
}

function interrupted(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exitCode.interrupted);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

const exitCodes: Readonly<Record<string, ExitCode>> = {
  usage: exitCode.usage,
  config: exitCode.usage,
  'no-mapping': exitCode.usage,
  'mapping-misfit': exitCode.usage,
  'not-found': exitCode.notFound,
  'access-denied': exitCode.permission,
  'port-in-use': exitCode.conflict,
  'data-dir-in-use': exitCode.conflict,
};

/** What went wrong, for a person or, with --json, as problem+json; on stderr either way. */
function report(error: unknown, json: boolean): ExitCode {
  const code = error instanceof PlatformError ? error.code : 'failure';
  const detail = messageOf(error);
  if (json) {
    const problems =
      error instanceof ConfigError ? { errors: error.problems.map((problem) => ({ detail: problem })) } : {};
    process.stderr.write(
      `${JSON.stringify({ type: `urn:weir:problem:${code}`, title: code, detail, code, ...problems })}\n`,
    );
  } else {
    process.stderr.write(`weir: ${detail}\n`);
    if (error instanceof UsageError)
      process.stderr.write('weir --help lists the verbs, weir VERB --help their options\n');
  }
  return exitCodes[code] ?? exitCode.failure;
}

const words = process.argv.slice(2);
try {
  process.exitCode = await main(words);
} catch (error) {
  process.exitCode = report(error, words.includes('--json'));
}
