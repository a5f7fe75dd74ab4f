import { cell, listCommand } from './list.ts';

export const windowsList = listCommand({
  path: ['windows', 'list'],
  summary: 'lists the counts of event-time windows, with what came late',
  resource: '/v1/windows',
  filters: {
    definition: { kind: 'text', value: 'NAME', what: 'a name in flow/windows.yaml, default by-type-5m' },
    group: { kind: 'text', value: 'GROUP', what: 'only this group, e.g. an event type' },
  },
  examples: ['weir windows list --group PURCHASE --num 0 --json'],
  columns: [
    { title: 'START', cell: cell('start') },
    { title: 'GROUP', cell: cell('group') },
    { title: 'COUNT', align: 'right', cell: cell('count') },
    { title: 'LATE', align: 'right', cell: cell('late_count') },
    {
      title: 'STATE',
      cell: (item) => (item['final'] === true ? `final, revision ${String(item['revision'])}` : 'open'),
    },
  ],
});
