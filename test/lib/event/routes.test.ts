import { expect } from 'chai';
import type { Event } from '../../../lib/event/event.ts';
import { failedRouteExamples, parseRoutes, route, targetName } from '../../../lib/event/routes.ts';
import { ConfigError } from '../../../lib/runtime/errors.ts';

const streams = `
streams:
  city: { what: city events, encoding: avro }
  user: { what: user events, encoding: json }
`;

function problemsOf(text: string): readonly string[] {
  try {
    parseRoutes(text);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function targetsOf(routes: string, event: Partial<Event>): readonly string[] {
  const whole: Event = {
    id: 'e1',
    source: '/s',
    type: 't',
    time: '1970-01-01T00:00:00Z',
    timeMs: 0,
    subject: 'k',
    attributes: {},
    data: null,
    ...event,
  };
  return route(whole, parseRoutes(`${streams}${routes}`).rules).map(targetName);
}

describe('route', () => {
  it('adds the targets of every rule that matches, each once', () => {
    const routes = `
routes:
  - { name: one, when: { kind: city }, to: { stream: city } }
  - { name: two, when: { type: 't' }, to: { stream: [user, city], bus: true } }
  - { name: three, when: { type: '*' }, to: { bus: true } }
`;
    expect(targetsOf(routes, { attributes: { kind: 'city' } })).to.deep.equal([
      'stream:city',
      'stream:user',
      'bus',
    ]);
  });

  it('matches all conditions of a rule, by list and by prefix', () => {
    const routes = `
routes:
  - { name: accounts, when: { type: ['account:*', login], source: '/s' }, to: { stream: user } }
`;
    expect(targetsOf(routes, { type: 'account:created' })).to.deep.equal(['stream:user']);
    expect(targetsOf(routes, { type: 'login' })).to.deep.equal(['stream:user']);
    expect(targetsOf(routes, { type: 'login', source: '/other' })).to.deep.equal([]);
    expect(targetsOf(routes, { type: 'accounts' })).to.deep.equal([]);
  });

  it('names the stream after a field of the event', () => {
    const routes = `
routes:
  - { name: by-kind, when: { kind: [city, user] }, to: { stream: '\${kind}' } }
`;
    expect(targetsOf(routes, { attributes: { kind: 'user' } })).to.deep.equal(['stream:user']);
    expect(targetsOf(routes, { attributes: { kind: 'other' } })).to.deep.equal([]);
    expect(targetsOf(routes, {})).to.deep.equal([]);
  });
});

describe('parseRoutes', () => {
  const refused: readonly (readonly [string, string, string])[] = [
    [
      'a stream that is not declared',
      '- { name: a, when: { kind: x }, to: { stream: nowhere } }',
      'routes[0].to.stream: there is no stream "nowhere"',
    ],
    [
      'a template that can name an undeclared stream',
      "- { name: a, when: { kind: [city, bike] }, to: { stream: '${kind}' } }",
      'there is no stream "bike"',
    ],
    [
      'a template whose values are not listed',
      "- { name: a, when: { kind: 'c*' }, to: { stream: '${kind}' } }",
      'list the values of kind under when',
    ],
    [
      'two rules of one name',
      '- { name: a, when: { kind: x }, to: { bus: true } }\n  - { name: a, when: { kind: y }, to: { bus: true } }',
      'routes: the name "a" occurs twice',
    ],
    [
      'a rule without a condition',
      '- { name: a, when: {}, to: { bus: true } }',
      "routes[0].when: is empty: to match every event write type: '*'",
    ],
    ['a rule that leads nowhere', '- { name: a, when: { kind: x }, to: {} }', 'routes[0].to: leads nowhere'],
    [
      'a star in the middle',
      "- { name: a, when: { type: 'a*b' }, to: { bus: true } }",
      '* may stand at the end only',
    ],
    [
      'a field that no event has',
      '- { name: a, when: { Kind: x }, to: { bus: true } }',
      'routes[0].when.Kind: is no event field',
    ],
    [
      'a number where a text is due',
      '- { name: a, when: { status: 404 }, to: { bus: true } }',
      'routes[0].when.status: is 404 but must be a text: put it in quotes',
    ],
    [
      'an unknown word',
      '- { name: a, if: { kind: x }, to: { bus: true } }',
      'routes[0]: "if" is not known here: use name, when, to',
    ],
    ['broken YAML', '- { name: a', 'line'],
  ];
  for (const [what, rule, problem] of refused) {
    it(`refuses ${what}, with its path`, () => {
      expect(problemsOf(`${streams}\nroutes:\n  ${rule}\n`).join('\n')).to.contain(problem);
    });
  }

  it('reports all problems in one error', () => {
    const text = `
streams: { City!: { what: x, encoding: xml } }
routes: [{ name: a, when: { kind: x }, to: { stream: y } }]
`;
    expect(problemsOf(text)).to.have.length(3);
  });

  it('refuses the same stream declared twice', () => {
    expect(problemsOf('streams:\n  a: {}\n  a: {}\nroutes: []').join()).to.contain('unique');
  });
});

describe('failedRouteExamples', () => {
  it('says where an example goes instead', () => {
    const routes = parseRoutes(`${streams}
routes:
  - { name: a, when: { kind: city }, to: { stream: city } }
examples:
  - { event: { type: t, attributes: { kind: city } }, to: [stream:city] }
  - { event: { type: t, attributes: { kind: city } }, to: [bus] }
`);
    expect(failedRouteExamples(routes)).to.deep.equal(['examples[1]: goes to [stream:city], not to [bus]']);
  });
});
