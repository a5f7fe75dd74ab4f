import { expect } from 'chai';
import {
  failedWindowExamples,
  groupOf,
  parseWindowRules,
  windowStartMs,
} from '../../../lib/event/windows-rules.ts';
import { ConfigError } from '../../../lib/runtime/errors.ts';

function problemsOf(definition: string): string {
  try {
    parseWindowRules(`windows:\n  - ${definition}\n`);
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
}

describe('parseWindowRules', () => {
  it('reads sizes and lateness as milliseconds', () => {
    const { windows } = parseWindowRules(
      'windows:\n  - { name: a, size: 90s, lateness: 10m, group: city }\n',
    );
    expect(windows).to.deep.equal([{ name: 'a', sizeMs: 90_000, latenessMs: 600_000, group: 'city' }]);
  });

  const refused = [
    ['{ name: a, size: 0s, lateness: 10m, group: type }', 'windows[0].size: is not between 1s and 1d'],
    ['{ name: a, size: 2d, lateness: 10m, group: type }', 'windows[0].size: is not between 1s and 1d'],
    ['{ name: a, size: 5m, lateness: 8d, group: type }', 'windows[0].lateness: is not between 0s and 7d'],
    ['{ name: a, size: 5, lateness: 10m, group: type }', 'windows[0].size: is 5 but must be a duration'],
    ['{ name: a, size: 5 min, lateness: 10m, group: type }', 'must be a duration like 30s, 5m, 1h or 1d'],
    ['{ name: A b, size: 5m, lateness: 10m, group: type }', 'windows[0].name: is no window name'],
    ['{ name: a, size: 5m, lateness: 10m, group: data.x }', 'windows[0].group: is no event field'],
    ['{ name: a, size: 5m, group: type }', 'windows[0]: lateness is missing'],
    ['{ name: a, size: 5m, lateness: 1m, group: type, slide: 1m }', 'windows[0]: "slide" is not known here'],
  ] as const;
  for (const [definition, problem] of refused) {
    it(`refuses ${definition}`, () => expect(problemsOf(definition)).to.contain(problem));
  }

  it('finds an example that does not come out as it says', () => {
    const rules = parseWindowRules(`
windows: [{ name: a, size: 5m, lateness: 10m, group: type }]
examples: [{ time: '2026-11-20T09:35:00Z', starts: { a: '2026-11-20T09:30:00Z' } }]
`);
    expect(failedWindowExamples(rules)).to.deep.equal([
      'examples[0]: the window of a starts at 2026-11-20T09:35:00Z, not at 2026-11-20T09:30:00Z',
    ]);
  });
});

describe('windowStartMs', () => {
  it('includes the start, excludes the end, and holds before the epoch', () => {
    expect([0, 299_999, 300_000, -1].map((ms) => windowStartMs(ms, 300_000))).to.deep.equal([
      0, 0, 300_000, -300_000,
    ]);
  });
});

describe('groupOf', () => {
  it('is the field, or empty where the event has none', () => {
    const event = {
      id: 'a',
      source: 's',
      type: 't',
      time: '',
      timeMs: 0,
      subject: 'k',
      attributes: { city: 'LA' },
      data: null,
    };
    expect([groupOf(event, 'type'), groupOf(event, 'city'), groupOf(event, 'severity')]).to.deep.equal([
      't',
      'LA',
      '',
    ]);
  });
});
