import { expect } from 'chai';
import { parseEvent } from '../../../lib/event/envelope.ts';
import type { Event } from '../../../lib/event/event.ts';
import { maxProblems, type Problem } from '../../../lib/event/problem.ts';

const cloudEvent = {
  specversion: '1.0',
  id: 'a1',
  source: '/sensors',
  type: 'reading',
  time: '2026-11-20T10:30:00+01:00',
};
const cityEvent = {
  event_id: 'c1',
  timestamp: '2026-11-20T09:30:00Z',
  city: 'Chicago',
  event_type: 'traffic',
  severity: 'high',
};
const namedEvent = { event_uuid: 'n1', event_name: 'payment:order:completed', created_at: 1_700_000_000.25 };
const userEvent = { eventId: 'u1', eventType: 'PURCHASE', userId: '42', timestamp: '2026-11-20T09:30:00Z' };

function eventOf(value: unknown): Event {
  const result = parseEvent(value);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.event;
}

function problemsOf(value: unknown): readonly Problem[] {
  const result = parseEvent(value);
  return result.ok ? [] : result.problems;
}

describe('parseEvent', () => {
  it('takes a CloudEvent, with its extension attributes as text and its id as subject', () => {
    expect(
      eventOf({ ...cloudEvent, kind: 'technical', retries: 3, sampled: true, gone: null }),
    ).to.deep.equal({
      id: 'a1',
      source: '/sensors',
      type: 'reading',
      time: '2026-11-20T09:30:00Z',
      timeMs: Date.UTC(2026, 10, 20, 9, 30),
      subject: 'a1',
      attributes: { kind: 'technical', retries: '3', sampled: 'true' },
      data: null,
    });
  });

  it('keeps the content type of a CloudEvent unless it is the default', () => {
    expect(eventOf({ ...cloudEvent, datacontenttype: 'application/json' }).attributes).to.deep.equal({});
    expect(eventOf({ ...cloudEvent, datacontenttype: 'text/plain' }).attributes).to.deep.equal({
      datacontenttype: 'text/plain',
    });
  });

  it('takes a city event: type, subject and the four attributes; the rest is data', () => {
    const event = eventOf({ ...cityEvent, lanes: 2 });
    expect(event).to.deep.include({ id: 'c1', type: 'traffic', subject: 'Chicago', data: { lanes: 2 } });
    expect(event.attributes).to.deep.equal({
      kind: 'city',
      city: 'Chicago',
      severity: 'high',
      eventtype: 'traffic',
    });
  });

  it('takes a named event with Unix seconds', () => {
    const event = eventOf({ ...namedEvent, plan: 'pro' });
    expect(event).to.deep.include({
      id: 'n1',
      type: 'payment:order:completed',
      time: '2023-11-14T22:13:20.25Z',
      attributes: { kind: 'product' },
      data: { plan: 'pro' },
    });
  });

  it('takes a user event and keeps the fields beside its data', () => {
    const event = eventOf({ ...userEvent, data: { amount: 12.5 }, session: 's1' });
    expect(event).to.deep.include({ type: 'PURCHASE', subject: '42', attributes: { kind: 'user' } });
    expect(event.data).to.deep.equal({ amount: 12.5, session: 's1' });
  });

  it('keeps a field with a name that objects treat specially', () => {
    const data = eventOf(
      JSON.parse('{"event_uuid":"n","event_name":"a:b","created_at":1,"__proto__":{"x":1}}'),
    ).data;
    expect(JSON.stringify(data)).to.equal('{"__proto__":{"x":1}}');
  });

  it('names the source of a family, or the one that is given', () => {
    expect(eventOf(cityEvent).source).to.equal('/city-events');
    expect(parseEvent(cityEvent, { source: '/roads' })).to.have.nested.property('event.source', '/roads');
  });

  it('says which shapes were tried and what each lacks', () => {
    const [problem] = problemsOf({ event_name: 'account:created', created_at: 1 });
    expect(problem).to.include({ pointer: '', code: 'unknown-shape' });
    expect(problem?.detail).to.contain('named event (missing: event_uuid)');
    expect(problem?.detail).to.contain(
      'city event (missing: event_id, timestamp, city, event_type, severity)',
    );
    expect(problem?.detail).to.contain('CloudEvents 1.0 (missing: specversion, id, source, type, time)');
  });

  it('reports all problems of an event at once, each with its place', () => {
    const problems = problemsOf({
      ...cityEvent,
      timestamp: '2026-11-20 09:30',
      severity: 'HIGH',
      city: undefined,
    });
    expect(problems.map(({ pointer, code }) => `${pointer} ${code}`)).to.deep.equal([
      '/timestamp wrong-format',
      '/city missing',
      '/severity out-of-range',
    ]);
  });

  const refused: readonly (readonly [string, unknown, string])[] = [
    ['a list', [], ' wrong-type'],
    ['a text', 'hello', ' wrong-type'],
    ['null', null, ' wrong-type'],
    ['another version of CloudEvents', { ...cloudEvent, specversion: '0.3' }, '/specversion wrong-format'],
    ['a CloudEvent without a time', { ...cloudEvent, time: undefined }, '/time missing'],
    ['an empty subject', { ...cloudEvent, subject: '' }, '/subject wrong-format'],
    ['a long id', { ...cloudEvent, id: 'x'.repeat(257) }, '/id too-long'],
    ['a control character', { ...cloudEvent, type: 'a\tb' }, '/type wrong-format'],
    ['half of a surrogate pair', { ...cloudEvent, type: '\ud83d' }, '/type wrong-format'],
    ['an attribute in upper case', { ...cloudEvent, Kind: 'city' }, '/Kind wrong-format'],
    ['an attribute name that needs escaping', { ...cloudEvent, 'a/b~c': 'x' }, '/a~1b~0c wrong-format'],
    ['an attribute that is an object', { ...cloudEvent, kind: {} }, '/kind wrong-type'],
    ['a broken traceparent', { ...cloudEvent, traceparent: '00-abc' }, '/traceparent wrong-format'],
    ['a stamp from outside', { ...cloudEvent, weirstamp: 'a;b;c' }, '/weirstamp reserved'],
    ['binary data', { ...cloudEvent, data_base64: 'AAAA' }, '/data_base64 wrong-format'],
    ['a number as id', { ...userEvent, eventId: 7 }, '/eventId wrong-type'],
    ['a name with an empty part', { ...namedEvent, event_name: 'account:' }, '/event_name wrong-format'],
    ['milliseconds where seconds are due', { ...namedEvent, created_at: 1.7e12 }, '/created_at out-of-range'],
    ['a text where seconds are due', { ...namedEvent, created_at: '1700000000' }, '/created_at wrong-type'],
    ['data that is no object', { ...userEvent, data: [1] }, '/data wrong-type'],
    ['a field beside data and in it', { ...userEvent, data: { a: 1 }, a: 2 }, '/a conflict'],
  ];
  for (const [what, value, expected] of refused) {
    it(`refuses ${what}`, () => {
      expect(problemsOf(value).map(({ pointer, code }) => `${pointer} ${code}`)).to.deep.equal([expected]);
    });
  }

  it('refuses data so deep that writing it again would overflow the stack', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;
    expect(problemsOf({ ...cloudEvent, data: deep })).to.have.nested.property('[0].pointer', '/data');
  });

  it('lists a bounded number of problems', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`Bad${i}`, 'x']));
    expect(problemsOf({ ...cloudEvent, ...many })).to.have.length(maxProblems);
  });

  it('refuses more attributes than a header may hold', () => {
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`a${i}`, 'x']));
    expect(problemsOf({ ...cloudEvent, ...many })).to.have.nested.property('[0].code', 'too-long');
    const { a0: _, ...allowed } = many;
    expect(parseEvent({ ...cloudEvent, ...allowed, weirstamp: 'a;b;c' }, { trusted: true }).ok).to.equal(
      true,
    );
  });

  it('takes the stamp on a record of our own streams', () => {
    const result = parseEvent({ ...cloudEvent, weirstamp: 'a;b;c' }, { trusted: true });
    expect(result).to.have.nested.property('event.attributes.weirstamp', 'a;b;c');
  });
});
