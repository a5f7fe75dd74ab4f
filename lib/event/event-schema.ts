/** The name under which the deployment registers flow/schemas/event.avsc. */
export const eventSchemaName = 'event';

/**
 * The Avro schema of an event, as it is written by this code; flow/schemas/event.avsc is the same, for the
 * deployment and for other readers of the registry. `data` is JSON text, so that one schema carries every
 * kind of event.
 */
export const eventSchema = {
  type: 'record',
  name: 'Event',
  namespace: 'weir',
  doc: 'An event in the shape of CloudEvents 1.0',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'source', type: 'string' },
    { name: 'type', type: 'string' },
    { name: 'time', type: 'string', doc: 'event time: RFC 3339, UTC' },
    { name: 'subject', type: 'string', doc: 'the default partition key' },
    { name: 'dataschema', type: ['null', 'string'], default: null },
    { name: 'traceparent', type: ['null', 'string'], default: null, doc: 'W3C trace context' },
    {
      name: 'attributes',
      type: { type: 'map', values: 'string' },
      default: {},
      doc: 'extension attributes: the headers that routing rules match',
    },
    { name: 'data', type: 'string', default: 'null', doc: 'JSON text' },
  ],
} as const;

export const eventSchemaText = JSON.stringify(eventSchema, null, 2);
