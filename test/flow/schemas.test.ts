import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { expect } from 'chai';
import { parseEvent } from '../../lib/event/envelope.ts';
import { eventSchema } from '../../lib/event/event-schema.ts';
import { families } from '../../lib/event/families.ts';

interface RecordSchema {
  readonly fields: readonly { readonly name: string; readonly default?: unknown }[];
}

const schemaOf = (name: string): RecordSchema =>
  JSON.parse(readFileSync(`flow/schemas/${name}.avsc`, 'utf8')) as RecordSchema;

const samples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'city-event': {
    event_id: 'c1',
    timestamp: '2026-11-20T09:30:00Z',
    city: 'LA',
    event_type: 'weather',
    severity: 'low',
  },
  'named-event': { event_uuid: 'n1', event_name: 'lesson:started', created_at: 1_700_000_000.5 },
  'user-event': { eventId: 'u1', eventType: 'LOGIN', userId: 'u', timestamp: '2026-11-20T09:30:00Z' },
};

describe('flow/schemas', () => {
  it('has in event.avsc what the codec writes', () => {
    expect(schemaOf('event')).to.deep.equal(eventSchema);
  });

  for (const [name, sample] of Object.entries(samples)) {
    it(`has in ${name}.avsc the fields that the family requires, and no others without a default`, () => {
      const required = schemaOf(name).fields.filter((field) => !('default' in field));
      const family = families.find((candidate) => candidate.name === name.replace('-', ' '));
      expect(required.map((field) => field.name)).to.deep.equal(family?.required);
    });

    it(`writes a ${name} by its schema and reads it as an event`, () => {
      const type = avro.Type.forSchema(schemaOf(name) as avro.Schema);
      const defaults = Object.fromEntries(schemaOf(name).fields.map((field) => [field.name, field.default]));
      const read = type.fromBuffer(type.toBuffer({ ...defaults, ...sample })) as object;
      expect(parseEvent(JSON.parse(JSON.stringify(read)))).to.have.property('ok', true);
    });
  }
});
