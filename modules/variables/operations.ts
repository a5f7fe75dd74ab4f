import { hclList, type VariableDefinition } from './definition.ts';

/** Retention times that CloudWatch Logs offers, days. */
const logRetentionDays = [
  30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const operationsVariables = [
  {
    name: 'alarms',
    type: `object({
      emails = optional(set(string), []),
      raw_archive_age_seconds = optional(number, 900),
      p99_ms = optional(number, 1000)
    })`,
    description:
      'Who hears of alarms, and thresholds that depend on taste; all others follow from other variables.',
    fallback: {},
    rules: [
      {
        holds: 'alltrue([for e in var.alarms.emails : can(regex("^[^@ ]+@[^@ ]+\\\\.[^@ ]+$", e))])',
        otherwise: 'alarms.emails must be mail addresses.',
      },
      {
        holds: 'var.alarms.p99_ms >= 50 && var.alarms.p99_ms <= 60000',
        otherwise: 'alarms.p99_ms must be 50 to 60000 milliseconds.',
      },
    ],
  },
  {
    name: 'budget',
    type: 'object({monthly_usd = number, emails = set(string)})',
    description:
      'Monthly budget of this installation (by its tags); who is told at 80 % and on a forecast above 100 %.',
    rules: [
      {
        holds: 'var.budget.monthly_usd > 0 && length(var.budget.emails) >= 1',
        otherwise: 'budget needs monthly_usd above 0 and at least one address in emails.',
      },
    ],
  },
  {
    name: 'edge',
    type: 'object({requests_per_5_minutes_per_ip = optional(number, 20000), allowed_cidrs = optional(set(string), ["0.0.0.0/0"])})',
    description: 'Limits at the front door: rate per client address, and which addresses may come at all.',
    fallback: {},
    rules: [
      {
        holds:
          'var.edge.requests_per_5_minutes_per_ip >= 100 && var.edge.requests_per_5_minutes_per_ip <= 2000000000',
        otherwise: 'edge.requests_per_5_minutes_per_ip must be 100 to 2000000000 (limits of AWS WAF).',
      },
      {
        holds:
          'length(var.edge.allowed_cidrs) >= 1 && alltrue([for c in var.edge.allowed_cidrs : can(cidrhost(c, 0))])',
        otherwise: 'edge.allowed_cidrs must be one or more IPv4 ranges, e.g. ["203.0.113.0/24"].',
      },
    ],
  },
  {
    name: 'event_store_cdc',
    type: 'bool',
    description: 'Send every change of the events table to a Kinesis stream of its own.',
    fallback: false,
  },
  {
    name: 'monitoring_export',
    type: 'object({otlp_endpoint = string, token_secret_arn = string, collector_image = string})',
    description:
      'Where metrics go besides CloudWatch (OpenTelemetry, e.g. Dynatrace), with a token kept in Secrets Manager.',
    fallback: null,
    rules: [
      {
        holds:
          'var.monitoring_export == null ? true : (can(regex("^https://", var.monitoring_export.otlp_endpoint)) && can(regex("^arn:aws[a-z-]*:secretsmanager:", var.monitoring_export.token_secret_arn)) && can(regex(":[A-Za-z0-9_][A-Za-z0-9._-]+$", var.monitoring_export.collector_image)) && !endswith(var.monitoring_export.collector_image, ":latest"))',
        otherwise:
          'monitoring_export needs an https otlp_endpoint, the ARN of a Secrets Manager secret in token_secret_arn, and a collector_image with a tag or digest other than latest.',
      },
    ],
  },
  {
    name: 'deletion_protection',
    type: 'bool',
    description:
      'Refuse to delete tables and the load balancer; switch it off only to tear an installation down.',
    fallback: true,
  },
  {
    name: 'log_retention_days',
    type: 'number',
    description: 'Days that logs are kept in CloudWatch.',
    fallback: 365,
    rules: [
      {
        holds: `contains(${hclList(logRetentionDays)}, var.log_retention_days)`,
        otherwise: `log_retention_days must be one of ${logRetentionDays.join(', ')}.`,
      },
    ],
  },
  {
    name: 'container_insights',
    type: 'string',
    description: 'Detail of ECS metrics: "enhanced" (per task) or "enabled" (per service, cheaper).',
    fallback: 'enhanced',
    rules: [
      {
        holds: 'contains(["enhanced", "enabled"], var.container_insights)',
        otherwise: 'container_insights must be "enhanced" or "enabled".',
      },
    ],
  },
] as const satisfies readonly VariableDefinition[];
