import type { VariableDefinition } from './definition.ts';
import { unknownKeys } from './definition.ts';

/** Exceptions for tables and the life of the lake's objects. */
export function storageVariables(tableNames: readonly string[]) {
  return [
    {
      name: 'tables',
      type: 'map(object({ttl = optional(bool, true), point_in_time_recovery = optional(bool)}))',
      description: 'Exceptions per table: expiry switched off, point-in-time recovery switched on or off.',
      fallback: {},
      rules: [
        {
          holds: `length(${unknownKeys('tables', tableNames)}) == 0`,
          otherwise: `tables: unknown \${join(", ", ${unknownKeys('tables', tableNames)})}; the tables are ${tableNames.join(', ')}.`,
        },
      ],
    },
    {
      name: 'lake',
      type: `object({
      infrequent_days = optional(number, 30),
      archive_days = optional(number, 120),
      expire_days = optional(number),
      raw_archive = optional(bool, false),
      raw_buffer_mb = optional(number, 64),
      raw_buffer_seconds = optional(number, 300)
    })`,
      description:
        'Life of objects in the data lake, and the optional raw copy of the inbound stream by Firehose.',
      fallback: {},
      rules: [
        {
          holds: 'var.lake.infrequent_days >= 30 && var.lake.archive_days >= var.lake.infrequent_days + 30',
          otherwise:
            'lake.infrequent_days must be at least 30 and lake.archive_days at least 30 days later (rules of S3).',
        },
        {
          holds: 'coalesce(var.lake.expire_days, 36500) > var.lake.archive_days',
          otherwise:
            'lake.expire_days must be later than lake.archive_days, or left out to keep objects for ever.',
        },
        {
          holds:
            'var.lake.raw_buffer_mb >= 64 && var.lake.raw_buffer_mb <= 128 && var.lake.raw_buffer_seconds >= 60 && var.lake.raw_buffer_seconds <= 900',
          otherwise:
            'lake.raw_buffer_mb must be 64 to 128 and lake.raw_buffer_seconds 60 to 900 (limits of Firehose).',
        },
      ],
    },
  ] as const satisfies readonly VariableDefinition[];
}
