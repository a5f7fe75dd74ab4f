import { at, attached, given, text, type Resource } from './resource.ts';
import { drop, set, type Rule } from './rule.ts';

const tlsPolicies = ['ELBSecurityPolicy-TLS13-1-2-2021-06', 'ELBSecurityPolicy-TLS13-1-3-2021-06'];

/** A port range of an ingress rule that is open to everybody. */
const openTo = (port: number) => (resource: Resource) =>
  at(resource, 'cidr_ipv4') === '0.0.0.0/0' &&
  Number(at(resource, 'from_port') ?? 0) <= port &&
  port <= Number(at(resource, 'to_port') ?? 65_535);

const closedPorts = [
  ['CKV_AWS_24', 22],
  ['CKV_AWS_25', 3389],
  ['CKV_AWS_260', 80],
] as const;

const managedGroup = (resource: Resource, name: string): boolean =>
  JSON.stringify(at(resource, 'rule') ?? []).includes(`"${name}"`);

const described = [
  'aws_security_group',
  'aws_vpc_security_group_ingress_rule',
  'aws_vpc_security_group_egress_rule',
];

const edgeRules: readonly Rule[] = [
  {
    ids: ['CKV_AWS_91'],
    type: 'aws_lb',
    must: 'log its requests',
    holds: (resource) => at(resource, 'access_logs.0.enabled') === true,
    spoil: set('aws_lb', 'access_logs', []),
  },
  {
    ids: ['CKV_AWS_131'],
    type: 'aws_lb',
    must: 'drop invalid headers',
    holds: (resource) => at(resource, 'drop_invalid_header_fields') === true,
    spoil: set('aws_lb', 'drop_invalid_header_fields', false),
  },
  {
    ids: ['CKV_AWS_150'],
    type: 'aws_lb',
    must: 'be protected from deletion',
    holds: (resource) => at(resource, 'enable_deletion_protection') === true,
    spoil: set('aws_lb', 'enable_deletion_protection', false),
  },
  {
    ids: ['CKV_AWS_328'],
    type: 'aws_lb',
    must: 'defend against request smuggling',
    holds: (resource) => ['defensive', 'strictest'].includes(text(resource, 'desync_mitigation_mode')),
    spoil: set('aws_lb', 'desync_mitigation_mode', 'monitor'),
  },
  {
    ids: ['CKV2_AWS_28'],
    type: 'aws_lb',
    must: 'stand behind a firewall',
    holds: (resource, all) =>
      attached(all, 'aws_wafv2_web_acl_association', 'resource_arn', resource).length > 0,
    spoil: drop('aws_wafv2_web_acl_association'),
  },
  {
    ids: ['CKV_AWS_2', 'CKV2_AWS_20'],
    type: 'aws_lb_listener',
    must: 'speak HTTPS only',
    holds: (resource) => at(resource, 'protocol') === 'HTTPS',
    spoil: set('aws_lb_listener', 'protocol', 'HTTP'),
  },
  {
    ids: ['CKV_AWS_103', 'CKV2_AWS_74'],
    type: 'aws_lb_listener',
    must: 'speak TLS 1.2 with strong ciphers at least',
    holds: (resource) => tlsPolicies.includes(text(resource, 'ssl_policy')),
    spoil: set('aws_lb_listener', 'ssl_policy', 'ELBSecurityPolicy-2016-08'),
  },
  {
    ids: ['CKV_AWS_261'],
    type: 'aws_lb_target_group',
    must: 'ask for health',
    holds: (resource) => at(resource, 'health_check.0.path') === '/readyz',
    spoil: set('aws_lb_target_group', 'health_check', []),
  },
  {
    ids: ['CKV_AWS_378'],
    type: 'aws_lb_target_group',
    must: 'speak TLS to its targets',
    holds: (resource) => at(resource, 'protocol') === 'HTTPS',
    spoil: (all) =>
      all.map((one) => (one.type === 'aws_lb_target_group' ? { ...one, address: `${one.address}_2` } : one)),
    accepted: {
      'aws_lb_target_group.ingest': 'HTTP inside private subnets, from the load balancer only',
      'aws_lb_target_group.query': 'HTTP inside private subnets, from the load balancer only',
    },
  },
  {
    ids: ['CKV_AWS_175', 'CKV_AWS_192', 'CKV2_AWS_76'],
    type: 'aws_wafv2_web_acl',
    must: 'refuse known bad input and anonymous addresses',
    holds: (resource) =>
      managedGroup(resource, 'AWSManagedRulesKnownBadInputsRuleSet') &&
      managedGroup(resource, 'AWSManagedRulesAnonymousIpList'),
    spoil: set('aws_wafv2_web_acl', 'rule', []),
  },
  {
    ids: ['CKV2_AWS_31', 'CKV_AWS_342'],
    type: 'aws_wafv2_web_acl',
    must: 'log what it refuses',
    holds: (resource, all) =>
      attached(all, 'aws_wafv2_web_acl_logging_configuration', 'resource_arn', resource).length > 0,
    spoil: drop('aws_wafv2_web_acl_logging_configuration'),
  },
  {
    ids: ['CKV_AWS_233', 'CKV_AWS_234', 'CKV2_AWS_71'],
    type: 'aws_acm_certificate',
    must: 'be for one name, without a star, proven by DNS',
    holds: (resource) =>
      at(resource, 'validation_method') === 'DNS' && !text(resource, 'domain_name').includes('*'),
    spoil: set('aws_acm_certificate', 'domain_name', '*.example.com'),
  },
  {
    ids: ['CKV2_AWS_23'],
    type: 'aws_route53_record',
    must: 'point to something of this plan',
    holds: (resource) => Object.values(resource.references).some((addresses) => addresses.length > 0),
    spoil: (all) => all.map((one) => (one.type === 'aws_route53_record' ? { ...one, references: {} } : one)),
  },
];

export const networkRules: readonly Rule[] = [
  ...edgeRules,
  {
    ids: ['CKV2_AWS_11'],
    type: 'aws_vpc',
    must: 'record who talks to whom',
    holds: (resource, all) => attached(all, 'aws_flow_log', 'vpc_id', resource).length > 0,
    spoil: drop('aws_flow_log'),
  },
  {
    ids: ['CKV2_AWS_12'],
    type: 'aws_default_security_group',
    must: 'let nothing through',
    holds: (resource) => !given(resource, 'ingress') && !given(resource, 'egress'),
    spoil: set('aws_default_security_group', 'ingress', [{ protocol: '-1' }]),
  },
  {
    ids: ['CKV_AWS_130'],
    type: 'aws_subnet',
    must: 'give no public address by itself',
    holds: (resource) => at(resource, 'map_public_ip_on_launch') === false,
    spoil: set('aws_subnet', 'map_public_ip_on_launch', true),
  },
  ...described.map(
    (type): Rule => ({
      ids: ['CKV_AWS_23'],
      type,
      must: 'say what it is for',
      holds: (resource) => text(resource, 'description').length > 8,
      spoil: set(type, 'description', ''),
    }),
  ),
  ...closedPorts.map(
    ([id, port]): Rule => ({
      ids: [id],
      type: 'aws_vpc_security_group_ingress_rule',
      must: `not open port ${port} to the world`,
      holds: (resource) => !openTo(port)(resource),
      spoil: (all) =>
        set(
          'aws_vpc_security_group_ingress_rule',
          'cidr_ipv4',
          '0.0.0.0/0',
        )(set('aws_vpc_security_group_ingress_rule', 'from_port', 0)(all)).map((one) => ({
          ...one,
          values: { ...one.values, to_port: 65_535 },
        })),
    }),
  ),
  {
    ids: ['CKV_AWS_382', 'CKV_AWS_277'],
    type: 'aws_vpc_security_group_egress_rule',
    must: 'name a protocol and ports',
    holds: (resource) => at(resource, 'ip_protocol') !== '-1' && given(resource, 'from_port'),
    spoil: set('aws_vpc_security_group_egress_rule', 'ip_protocol', '-1'),
  },
  {
    ids: ['CKV2_AWS_5'],
    type: 'aws_security_group',
    must: 'be used by something',
    holds: (resource, all) =>
      ['aws_ecs_service', 'aws_lb', 'aws_vpc_endpoint'].some((type) =>
        all.some(
          (other) =>
            other.type === type &&
            Object.values(other.references)
              .flat()
              .some((address) => address.startsWith(resource.address.replace(/\[.*/, ''))),
        ),
      ),
    spoil: drop('aws_ecs_service'),
  },
  {
    ids: ['CKV2_AWS_19'],
    type: 'aws_eip',
    must: 'belong to a NAT gateway',
    holds: (resource, all) => attached(all, 'aws_nat_gateway', 'allocation_id', resource).length > 0,
    spoil: drop('aws_nat_gateway'),
  },
];
