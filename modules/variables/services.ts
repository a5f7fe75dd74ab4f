import type { VariableDefinition } from './definition.ts';
import { hclList, unknownKeys } from './definition.ts';

/** A worker, and the HCL expression for the number of shards it can share; null: without limit (on demand). */
export interface ShardLimit {
  readonly service: string;
  readonly reads: readonly ('inbound' | 'outbound' | 'derived')[];
}

/** Memory (MiB) that Fargate offers for each CPU size. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html */
const fargateMemory = `{
  "256" = [512, 1024, 2048], "512" = range(1024, 4097, 1024), "1024" = range(2048, 8193, 1024),
  "2048" = range(4096, 16385, 1024), "4096" = range(8192, 30721, 1024), "8192" = range(16384, 61441, 4096),
  "16384" = range(32768, 122881, 8192) }`;

const every = (condition: string) => `alltrue([for name, s in var.services : ${condition}])`;
const offenders = (condition: string) =>
  `\${join(", ", [for name, s in var.services : name if !(${condition})])}`;

function everyService(condition: string, fix: string) {
  return { holds: every(condition), otherwise: `services (${offenders(condition)}): ${fix}` };
}

/** Streams of a reader that are on demand make its limit unknown: then it is not checked. */
function shardRule(limit: ShardLimit) {
  const streams = limit.reads
    .map((read) => (read === 'outbound' ? 'values(var.outbound_streams)' : `[var.${read}_stream]`))
    .join(', ');
  const shards = `sum([for s in concat(${streams}) : s.mode == "ON_DEMAND" ? 1000000 : coalesce(s.shard_count, 1000000)])`;
  return {
    holds: `try(var.services["${limit.service}"].max_count <= ${shards}, true)`,
    otherwise: `services.${limit.service}.max_count must not exceed the shards it reads (${limit.reads.join(' + ')}): a task without a shard does nothing. Lower max_count or raise shard_count.`,
  };
}

export function serviceVariables(names: readonly string[], limits: readonly ShardLimit[]) {
  return [
    {
      name: 'services',
      type: `map(object({
      cpu = number,
      memory = number,
      min_count = number,
      max_count = number,
      desired_count = optional(number),
      spot_weight = optional(number, 0),
      cpu_target = optional(number, 60),
      lag_target_ms = optional(number, 60000),
      image_tag = optional(string)
    }))`,
      description: 'Size of every service. min_count = max_count fixes its number of tasks.',
      rules: [
        {
          holds: `length(${unknownKeys('services', names)}) == 0`,
          otherwise: `services: unknown \${join(", ", ${unknownKeys('services', names)})}; the services are ${names.join(', ')}.`,
        },
        {
          holds: `length(setsubtract(${hclList(names)}, keys(var.services))) == 0`,
          otherwise: `services: missing \${join(", ", setsubtract(${hclList(names)}, keys(var.services)))}; every service needs its size.`,
        },
        everyService(
          's.min_count >= 1',
          'min_count must be at least 1; to stop a service, take it out of the catalogue.',
        ),
        everyService('s.max_count >= s.min_count', 'max_count must not be less than min_count.'),
        everyService(
          's.max_count <= 200',
          'max_count must not exceed 200; ask AWS for a larger Fargate quota first.',
        ),
        everyService(
          'coalesce(s.desired_count, s.min_count) >= s.min_count && coalesce(s.desired_count, s.min_count) <= s.max_count',
          'desired_count must be between min_count and max_count.',
        ),
        everyService(
          `contains(lookup(${fargateMemory}, tostring(s.cpu), []), s.memory)`,
          'Fargate has no such pair of cpu and memory, e.g. cpu 512 takes memory 1024, 2048, 3072 or 4096.',
        ),
        everyService(
          's.spot_weight >= 0 && s.spot_weight <= 1000',
          'spot_weight must be 0 (no Spot) to 1000.',
        ),
        everyService('s.cpu_target >= 10 && s.cpu_target <= 90', 'cpu_target must be 10 to 90 percent.'),
        everyService(
          's.lag_target_ms >= 5000',
          'lag_target_ms must be at least 5000; a shard is read once a second.',
        ),
        ...limits.map(shardRule),
      ],
    },
  ] as const satisfies readonly VariableDefinition[];
}
