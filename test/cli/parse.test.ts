import { expect } from 'chai';
import { defineCommand } from '../../cli/command.ts';
import { progressLine, table } from '../../cli/output.ts';
import { findCommand, helpFor, helpForAll, parseCommandLine, UsageError } from '../../cli/parse.ts';

const list = defineCommand({
  path: ['events', 'list'],
  summary: 'lists events',
  positionals: [],
  options: {
    city: { kind: 'text', value: 'CITY', what: 'only this city' },
    set: { kind: 'list', value: 'A=B', what: 'repeated' },
    all: {
      kind: 'flag',
      what: 'everything, with a text that is long enough to need another line in a narrow window',
    },
  },
  examples: ['weir events list'],
  run: async () => 0,
});
const get = defineCommand({
  path: ['events', 'get'],
  summary: 'gets one',
  positionals: ['ID'],
  options: {},
  examples: [],
  run: async () => 0,
});

describe('the command line', () => {
  it('finds the verb by all of its words', () => {
    expect(findCommand([list, get], ['events', 'get', 'x'])).to.equal(get);
    expect(findCommand([list, get], ['events'])).to.equal(undefined);
  });

  it('gives each option in the shape of its kind, also when it is absent', () => {
    const words = ['events', 'list', '--city', 'NYC', '--set', 'a=1', '--set', 'b=2', '--json'];
    const parsed = parseCommandLine(list, words);
    expect(parsed.given).to.deep.equal({ city: 'NYC', set: ['a=1', 'b=2'], all: false });
    expect(parsed.json).to.equal(true);
    expect(parseCommandLine(list, ['events', 'list']).given).to.deep.equal({
      city: undefined,
      set: [],
      all: false,
    });
  });

  it('refuses what it does not know, what is missing and what is too much', () => {
    expect(() => parseCommandLine(list, ['events', 'list', '--colour'])).to.throw(UsageError, '--colour');
    expect(() => parseCommandLine(get, ['events', 'get'])).to.throw(UsageError, 'needs ID');
    expect(() => parseCommandLine(get, ['events', 'get', 'a', 'b'])).to.throw(
      UsageError,
      'does not take "b"',
    );
  });

  it('asks for nothing when help is wanted', () => {
    expect(parseCommandLine(get, ['events', 'get', '--help']).help).to.equal(true);
  });

  it('keeps help within 80 columns', () => {
    const lines = [...helpFor(list).split('\n'), ...helpForAll([list, get]).split('\n')];
    expect(lines.filter((line) => line.length > 80)).to.deep.equal([]);
  });
});

describe('output', () => {
  it('keeps a table within 80 columns by cutting the widest text', () => {
    const lines = table(
      [{ title: 'ID' }, { title: 'COUNT', align: 'right' }],
      [
        ['x'.repeat(200), '12'],
        ['y', '3'],
      ],
    ).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).to.equal(80);
    expect(lines[1]).to.include('…').and.to.match(/12$/);
  });

  it('shows progress with rate and time left', () => {
    expect(progressLine('sent', 12_000, 48_000, 4_000)).to.equal(
      'sent 12,000/48,000 (25 %), 3,000/s, 12 s left',
    );
    expect(progressLine('sent', 10, undefined, 1_000)).to.equal('sent 10, 10/s');
  });
});
