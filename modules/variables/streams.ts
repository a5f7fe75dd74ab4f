import type { Rule, VariableDefinition } from './definition.ts';

/** Shard-level metrics of Kinesis; each costs per shard. */
const shardMetrics = [
  'IncomingBytes',
  'IncomingRecords',
  'OutgoingBytes',
  'OutgoingRecords',
  'WriteProvisionedThroughputExceeded',
  'ReadProvisionedThroughputExceeded',
  'IteratorAgeMilliseconds',
] as const;

const stream = `object({
      mode = optional(string, "PROVISIONED"),
      shard_count = optional(number),
      retention_hours = optional(number, 168),
      record_kib = optional(number, 1024),
      shard_metrics = optional(set(string), [])
    })`;

/** The rules of one stream; `each` is an HCL expression for it and `name` how messages call it. */
function streamRules(wrap: (condition: string) => string, name: string): readonly Rule[] {
  return [
    {
      holds: wrap('contains(["PROVISIONED", "ON_DEMAND"], s.mode)'),
      otherwise: `${name}: mode must be "PROVISIONED" or "ON_DEMAND".`,
    },
    {
      holds: wrap(
        's.mode == "ON_DEMAND" ? s.shard_count == null : (coalesce(s.shard_count, 0) >= 1 && coalesce(s.shard_count, 0) <= 10000)',
      ),
      otherwise: `${name}: shard_count must be 1 to 10000 when mode is "PROVISIONED" and left out when it is "ON_DEMAND".`,
    },
    {
      holds: wrap('s.retention_hours >= 24 && s.retention_hours <= 8760'),
      otherwise: `${name}: retention_hours must be 24 to 8760 (168 = 7 days); a redeployed consumer catches up only within it.`,
    },
    {
      holds: wrap('s.record_kib >= 1024 && s.record_kib <= 10240'),
      otherwise: `${name}: record_kib must be 1024 to 10240, the limits of Kinesis for one record.`,
    },
    {
      holds: wrap(`length(setsubtract(s.shard_metrics, ${JSON.stringify(shardMetrics)})) == 0`),
      otherwise: `${name}: shard_metrics may hold only ${shardMetrics.join(', ')}.`,
    },
  ];
}

const one = (variable: string) => (condition: string) =>
  `alltrue([for s in [var.${variable}] : ${condition}])`;
const every = (condition: string) => `alltrue([for s in values(var.outbound_streams) : ${condition}])`;

/** `routed` are the streams that flow/routes.yaml sends to: each must be deployed. */
export function streamVariables(routed: readonly string[]) {
  return [
    {
      name: 'inbound_stream',
      type: stream,
      description: 'The stream that ingest writes accepted events to.',
      rules: streamRules(one('inbound_stream'), 'inbound_stream'),
    },
    {
      name: 'outbound_streams',
      type: `map(${stream})`,
      description:
        'Streams of routed events, by the name that flow/routes.yaml uses. One entry is all a new one needs.',
      rules: [
        ...streamRules(every, 'outbound_streams'),
        {
          holds: `length(setsubtract(${JSON.stringify(routed)}, keys(var.outbound_streams))) == 0`,
          otherwise: `outbound_streams must hold every stream of flow/routes.yaml: ${routed.join(', ')}.`,
        },
        {
          holds: 'alltrue([for k in keys(var.outbound_streams) : can(regex("^[a-z][a-z0-9-]{0,30}$", k))])',
          otherwise: 'outbound_streams: a name must be lower-case letters, digits and hyphens, e.g. "city".',
        },
        {
          holds:
            '!contains(keys(var.outbound_streams), "inbound") && !contains(keys(var.outbound_streams), "derived")',
          otherwise:
            'outbound_streams: "inbound" and "derived" are the names of the platform\'s own streams.',
        },
      ],
    },
    {
      name: 'derived_stream',
      type: stream,
      description: 'The stream of derived events, written by the detector.',
      rules: streamRules(one('derived_stream'), 'derived_stream'),
    },
  ] as const satisfies readonly VariableDefinition[];
}
