import { cell, listCommand } from './list.ts';

export const alertsList = listCommand({
  path: ['alerts', 'list'],
  summary: 'lists events of severity high and critical, by city or severity',
  resource: '/v1/alerts',
  filters: {
    city: { kind: 'text', value: 'CITY', what: 'only alerts of this city' },
    severity: { kind: 'text', value: 'SEVERITY', what: 'high or critical' },
  },
  examples: ['weir alerts list --city Chicago --severity critical'],
  columns: [
    { title: 'TIME', cell: cell('time') },
    { title: 'SEVERITY', cell: cell('severity') },
    { title: 'CITY', cell: cell('city') },
    { title: 'TYPE', cell: cell('type') },
    { title: 'ID', cell: cell('id') },
  ],
});
