import { defineCommand, exitCode } from './command.ts';
import { getJson, queryOption, queryUrl } from './connect.ts';

export const eventsGet = defineCommand({
  path: ['events', 'get'],
  summary: 'shows one stored event by its id',
  positionals: ['ID'],
  options: queryOption,
  examples: ['weir events get 9955810'],
  run: async ({ given, positionals, output, signal }) => {
    const path = `/v1/events/${encodeURIComponent(positionals[0] ?? '')}`;
    const event = await getJson(queryUrl(given.query), path, signal);
    output.result(event, () => JSON.stringify(event, null, 2));
    return exitCode.ok;
  },
});
