import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alarm } from '../../modules/observability/alarm.ts';
import { errors, patternOf, signals, signalsOf, type Signal } from '../../modules/observability/signals.ts';

/** All TypeScript of a folder, as one text. */
function sourceOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

describe('signals', () => {
  const source = sourceOf('lib') + sourceOf('services');

  for (const [name, signal] of Object.entries(signals) as [string, Signal][]) {
    it(`${name}: the services log the line that it is made of`, () => {
      const wanted = [`'${signal.message}'`, ...(signal.field ? [signal.field] : [])];
      expect(wanted.filter((text) => !source.includes(text))).to.deep.equal([]);
    });
  }

  it('are found by the message of a log line, errors by its level', () => {
    expect(patternOf(signals.lag)).to.equal('{ $.message = "consumer-lag" }');
    expect(patternOf(errors)).to.equal('{ $.level = "error" }');
  });

  it('of shards come from workers, of the ledger from query', () => {
    expect(signalsOf('worker', 'router')).to.include(signals.lag).and.not.include(signals.ledgerDifference);
    expect(signalsOf('http', 'query')).to.deep.equal([errors, signals.ledgerDifference]);
    expect(signalsOf('http', 'ingest')).to.deep.equal([errors]);
  });
});

describe('an alarm', () => {
  const metric = { id: 'a', namespace: 'n', name: 'm', dimensions: {}, stat: 'Sum' } as const;
  const definition = {
    id: 'x',
    what: 'y',
    metrics: [metric],
    above: 0,
    periodSeconds: 60,
    badOf: [1, 1],
  } as const;
  const make = (change: object) => () =>
    alarm(undefined as never, undefined as never, { ...definition, ...change });

  it('with a period that CloudWatch has not is refused', () => {
    expect(make({ periodSeconds: 45 })).to.throw('a period of 45 s is not 10, 20, 30 or a multiple of 60');
  });

  it('with more bad points than points is refused', () => {
    expect(make({ badOf: [3, 2] })).to.throw('3 of 2 periods');
  });

  it('over several metrics needs an expression', () => {
    expect(make({ metrics: [metric, metric] })).to.throw('2 metrics need an expression');
  });
});
