import type { VariableDefinition } from './definition.ts';

/** Interface endpoints that the platform can use; each costs per availability zone and hour. */
const endpoints = [
  'kinesis-streams',
  'glue',
  'ecr.api',
  'ecr.dkr',
  'logs',
  'monitoring',
  'sqs',
  'kms',
  'sts',
  'secretsmanager',
] as const;

export const platformVariables = [
  {
    name: 'environment',
    type: 'string',
    description: 'Name of this installation; part of every resource name.',
    rules: [
      {
        holds: 'can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))',
        otherwise:
          'environment must be 2 to 12 lower-case letters or digits and start with a letter, e.g. "dev".',
      },
    ],
  },
  {
    name: 'aws_region',
    type: 'string',
    description: 'AWS region of everything.',
    rules: [
      {
        holds: 'can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.aws_region))',
        otherwise: 'aws_region must be a region code, e.g. "eu-central-1".',
      },
    ],
  },
  {
    name: 'name_prefix',
    type: 'string',
    description: 'First part of every resource name.',
    fallback: 'weir',
    rules: [
      {
        holds: 'can(regex("^[a-z][a-z0-9-]{1,10}[a-z0-9]$", var.name_prefix))',
        otherwise: 'name_prefix must be 3 to 12 lower-case letters, digits or hyphens, e.g. "weir".',
      },
    ],
  },
  {
    name: 'image_tag',
    type: 'string',
    description: 'Tag of the platform image in its registry; tags are immutable, so this is a release.',
    rules: [
      {
        holds:
          'can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"',
        otherwise: 'image_tag must be the tag of a pushed release, e.g. a commit id; "latest" says nothing.',
      },
    ],
  },
  {
    name: 'domain',
    type: 'object({zone_id = string, name = string})',
    description:
      'Public Route 53 zone and the name under which the API is reached (ingest.NAME and query.NAME).',
    rules: [
      {
        holds: 'can(regex("^Z[A-Z0-9]{5,31}$", var.domain.zone_id))',
        otherwise:
          'domain.zone_id must be the id of an existing public Route 53 zone, e.g. "Z0123456789ABCDEFGHIJ".',
      },
      {
        holds: 'can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\\\.)+[a-z]{2,}$", var.domain.name))',
        otherwise: 'domain.name must be a domain name inside that zone, e.g. "weir.example.com".',
      },
    ],
  },
  {
    name: 'network',
    type: `object({
      cidr = optional(string, "10.40.0.0/16"),
      az_count = optional(number, 2),
      nat_mode = optional(string, "single"),
      interface_endpoints = optional(set(string), []),
      existing = optional(object({vpc_id = string, public_subnet_ids = list(string), private_subnet_ids = list(string)}))
    })`,
    description:
      'A VPC of our own (cidr, az_count, nat_mode none|single|per_az, interface_endpoints), or an existing one.',
    fallback: {},
    rules: [
      {
        holds:
          'can(cidrhost(var.network.cidr, 0)) && try(tonumber(split("/", var.network.cidr)[1]) <= 20, false)',
        otherwise: 'network.cidr must be an IPv4 range of /20 or larger, e.g. "10.40.0.0/16".',
      },
      {
        holds: 'var.network.az_count >= 2 && var.network.az_count <= 4',
        otherwise: 'network.az_count must be 2, 3 or 4: the load balancer needs two availability zones.',
      },
      {
        holds: 'contains(["none", "single", "per_az"], var.network.nat_mode)',
        otherwise: 'network.nat_mode must be "none", "single" or "per_az".',
      },
      {
        holds: `var.network.nat_mode != "none" || var.network.existing != null || length(setsubtract(${JSON.stringify(endpoints)}, var.network.interface_endpoints)) == 0`,
        otherwise: `network.nat_mode "none" needs every interface endpoint: ${endpoints.join(', ')}.`,
      },
      {
        holds: `length(setsubtract(var.network.interface_endpoints, ${JSON.stringify(endpoints)})) == 0`,
        otherwise: `network.interface_endpoints may hold only: ${endpoints.join(', ')}.`,
      },
      {
        holds:
          'var.network.existing == null ? true : (length(var.network.existing.private_subnet_ids) >= 2 && length(var.network.existing.public_subnet_ids) >= 2)',
        otherwise: 'network.existing needs at least two public and two private subnets, in different zones.',
      },
    ],
  },
] as const satisfies readonly VariableDefinition[];
