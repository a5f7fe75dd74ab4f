import { ConfigError } from '../../lib/runtime/errors.ts';

export interface Settings {
  readonly base: number;
  readonly seeds: number;
  readonly troubles: number | undefined;
}

/** SIM_SEEDS histories from SIM_SEED_BASE on, each of SIM_STEPS troubles. Throws ConfigError. */
export function simulationSettings(env: NodeJS.ProcessEnv): Settings {
  const problems: string[] = [];
  const whole = (name: string): number | undefined => {
    const text = env[name] ?? '';
    if (text === '') return undefined;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 1)
      problems.push(`${name} = ${text}: give a whole number from 1 on`);
    return value;
  };
  const settings = {
    base: whole('SIM_SEED_BASE') ?? 1,
    seeds: whole('SIM_SEEDS') ?? 500,
    troubles: whole('SIM_STEPS'),
  };
  if (problems.length > 0) throw new ConfigError('The simulation cannot run so', problems);
  return settings;
}
