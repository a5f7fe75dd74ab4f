// `npm run sim`: many random histories of each simulation, on all cores.
import { parseArgs } from 'node:util';
import { ConfigError, messageOf } from '../../lib/runtime/errors.ts';
import { simulationSettings } from './settings.ts';
import {
  describeFailure,
  type Failure,
  failureOf,
  type Simulation,
  simulationNames,
  simulations,
} from './simulations.ts';
import { sweep, type SweepPlan, type SweepResult } from './sweep.ts';

const exitCode = { ok: 0, failure: 1, usage: 2, checkFailed: 6, interrupted: 130 } as const;

/** Of the seeds, where all simulations run. The histories of mixed fleets are long, and there is less to draw. */
const shares: Readonly<Record<Simulation, number>> = { leases: 1, consumers: 1, 'mixed-fleet': 0.1 };

const help = `[SIM_SEEDS=500] [SIM_SEED_BASE=1] [SIM_STEPS=N] npm run sim -- [--only NAME] [--trace] [--json]

Runs SIM_SEEDS random histories of each simulation (a tenth of mixed-fleet unless
it runs alone) from seed SIM_SEED_BASE on, each of SIM_STEPS troubles, and checks
every law all the time. --trace tells all
that happens in the first history, and runs no other.
Exit 0 if every law was kept, 6 if not. Names: ${simulationNames.join(', ')}`;

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      trace: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return exitCode.ok;
  }
  const chosen = simulationNames.filter((name) => values.only === undefined || values.only === name);
  if (chosen.length === 0) {
    process.stderr.write(`--only ${values.only}: give ${simulationNames.join(' or ')}\n`);
    return exitCode.usage;
  }
  if (values.trace) return traceFirst(chosen);
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  const results: SweepResult[] = [];
  for (const simulation of chosen) {
    if (stopping.signal.aborted) break;
    const { base, seeds, troubles } = simulationSettings(process.env);
    const share = values.only === undefined ? shares[simulation] : 1;
    const plan = { simulation, base, seeds: Math.ceil(seeds * share), troubles };
    results.push(await sweepOne(plan, stopping.signal));
  }
  const ok = results.every(({ failures }) => failures.length === 0);
  if (values.json) process.stdout.write(`${JSON.stringify({ ok, results }, null, 2)}\n`);
  else for (const result of results) process.stdout.write(`${describeResult(result)}\n`);
  if (!ok) return exitCode.checkFailed;
  return stopping.signal.aborted ? exitCode.interrupted : exitCode.ok;
}

/** Progress is rewritten in place for people, and told every tenth for a log; a failure is told at once. */
async function sweepOne(plan: SweepPlan, signal: AbortSignal): Promise<SweepResult> {
  let told = 0;
  let failed = 0;
  const onProgress = (done: number, failures: readonly Failure[]): void => {
    for (const failure of failures.slice(failed)) process.stderr.write(`\n${describeFailure(failure)}\n`);
    failed = failures.length;
    const tenth = Math.floor((done / plan.seeds) * 10);
    const line = `${plan.simulation}: ${done} of ${plan.seeds} histories, ${failed} failed`;
    if (process.stderr.isTTY) process.stderr.write(`\r${line}${done === plan.seeds ? '\n' : ''}`);
    else if (tenth > told) process.stderr.write(`${line}\n`);
    told = tenth;
  };
  return sweep(plan, onProgress, signal);
}

async function traceFirst(chosen: readonly Simulation[]): Promise<number> {
  const { base, troubles } = simulationSettings(process.env);
  let broken = false;
  for (const simulation of chosen) {
    const history = await simulations[simulation](base, troubles);
    process.stdout.write(`${history.trace.join('\n')}\n`);
    for (const { message } of history.broken) process.stdout.write(`broken: ${message}\n`);
    broken ||= failureOf(simulation, history) !== undefined;
  }
  return broken ? exitCode.checkFailed : exitCode.ok;
}

function describeResult({ base, done, failures, seconds, seeds, simulation }: SweepResult): string {
  const stopped = done < seeds ? `, stopped before ${seeds}` : '';
  const kept = failures.length === 0 ? 'every law kept' : `${failures.length} FAILED`;
  const summary = `${simulation}: ${done} histories from seed ${base} on${stopped}, ${kept}, ${seconds.toFixed(1)} s`;
  return [
    ...failures.map((failure) => `${simulation}, seed ${failure.seed}: ${failure.broken[0]}`),
    summary,
  ].join('\n');
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof ConfigError ? exitCode.usage : exitCode.failure;
}
