import { expect } from 'chai';
import {
  decimalOr,
  type EnvironmentOf,
  integer,
  integerOr,
  oneOf,
  readConfig,
  text,
  textMap,
  textOr,
} from '../../../lib/runtime/config.ts';
import { ConfigError } from '../../../lib/runtime/errors.ts';

const settings = {
  TABLE: text('the table'),
  SHARDS: integer('the shards', { min: 1, max: 10 }),
  HOST: textOr('the host', '0.0.0.0'),
  POLL_MS: integerOr('the pause', { min: 200, max: 60_000 }, 1_000),
  THRESHOLD: decimalOr('the amount', { min: 0, max: 1e6 }, 12.5),
  LEVEL: oneOf('the level', ['info', 'debug'], 'info'),
  STREAMS: textMap('the streams'),
} as const;

const good = { TABLE: 't', SHARDS: '3', STREAMS: '{"city":"weir-city"}' };

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(settings, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('settings', () => {
  it('turns texts into typed values and fills in what has a fallback', () => {
    expect(readConfig(settings, good)).to.deep.equal({
      TABLE: 't',
      SHARDS: 3,
      HOST: '0.0.0.0',
      POLL_MS: 1_000,
      THRESHOLD: 12.5,
      LEVEL: 'info',
      STREAMS: { city: 'weir-city' },
    });
  });

  it('reports every problem at once, with the variable and what to give', () => {
    const problems = problemsOf({ SHARDS: '11', LEVEL: 'loud', STREAMS: '[1]', POLL_MS: 'soon' });
    expect(problems).to.have.length(5);
    expect(problems[0]).to.equal('TABLE is not set: give the table');
    expect(problems[1]).to.match(/^SHARDS="11" is outside 1 … 10: give the shards/);
    expect(problems.join()).to.include('LEVEL="loud" is not one of info, debug');
    expect(problems.join()).to.include('STREAMS="[1]" is not a JSON object');
    expect(problems.join()).to.include('POLL_MS="soon" is not a number');
  });

  it('takes an empty variable for an absent one', () => {
    expect(problemsOf({ ...good, TABLE: '' })).to.deep.equal(['TABLE is not set: give the table']);
  });

  it('does not compile when the environment forgets a setting without a fallback', () => {
    const whole: EnvironmentOf<typeof settings> = good;
    // @ts-expect-error SHARDS is missing
    const forgetful: EnvironmentOf<typeof settings> = { TABLE: 't', STREAMS: '{}' };
    expect([whole, forgetful]).to.have.length(2);
  });
});
