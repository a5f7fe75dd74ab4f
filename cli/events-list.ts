import { cell, listCommand } from './list.ts';

export const eventsList = listCommand({
  path: ['events', 'list'],
  summary: 'lists stored events by city or type and event time',
  resource: '/v1/events',
  filters: {
    city: { kind: 'text', value: 'CITY', what: 'only events of this city' },
    type: { kind: 'text', value: 'TYPE', what: 'only events of this type' },
  },
  examples: [
    'weir events list --city NYC --from 2026-11-20T00:00:00Z',
    'weir events list --type HIGH_VALUE_PURCHASE --json',
  ],
  columns: [
    { title: 'TIME', cell: cell('time') },
    { title: 'TYPE', cell: cell('type') },
    { title: 'SUBJECT', cell: cell('subject') },
    { title: 'ID', cell: cell('id') },
  ],
});
