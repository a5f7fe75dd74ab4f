import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { Wafv2WebAcl } from '@cdktf/provider-aws/lib/wafv2-web-acl/index.js';
import { Wafv2WebAclAssociation } from '@cdktf/provider-aws/lib/wafv2-web-acl-association/index.js';
import { Wafv2WebAclLoggingConfiguration } from '@cdktf/provider-aws/lib/wafv2-web-acl-logging-configuration/index.js';
import { Token } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';

export interface FirewallProps {
  readonly naming: Naming;
  readonly loadBalancerArn: string;
  /** The key of its log. */
  readonly keyArn: string;
}

interface ManagedGroup {
  readonly name: string;
  /** Rules that only count, each because it would refuse honest clients of an event API. */
  readonly countOnly: readonly string[];
}

const managedGroups: readonly ManagedGroup[] = [
  // A batch of events is larger than the 8 KB after which this rule refuses a body.
  { name: 'AWSManagedRulesCommonRuleSet', countOnly: ['SizeRestrictions_BODY', 'NoUserAgent_HEADER'] },
  { name: 'AWSManagedRulesKnownBadInputsRuleSet', countOnly: [] },
  { name: 'AWSManagedRulesAmazonIpReputationList', countOnly: [] },
  // Producers are servers, so they come from hosting providers.
  { name: 'AWSManagedRulesAnonymousIpList', countOnly: ['HostingProviderIPList'] },
];

/** AWS WAF before the load balancer: managed groups and a rate per client address; what it refuses is logged. */
export class Firewall extends Construct {
  constructor(scope: Construct, props: FirewallProps) {
    super(scope, 'firewall');
    const { naming } = props;
    const acl = new Wafv2WebAcl(this, 'acl', {
      name: naming.name('edge'),
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility(naming, 'edge'),
      rule: [
        rateRule(naming, 0),
        ...managedGroups.map((group, index) => groupRule(naming, group, index + 1)),
      ],
    });
    pin(acl, 'edge');
    new Wafv2WebAclAssociation(this, 'association', {
      resourceArn: props.loadBalancerArn,
      webAclArn: acl.arn,
    });
    this.#log(props, acl);
  }

  #log(props: FirewallProps, acl: Wafv2WebAcl): void {
    const group = new CloudwatchLogGroup(this, 'log', {
      // WAF insists on this beginning.
      name: `aws-waf-logs-${props.naming.prefix}`,
      retentionInDays: Token.asNumber('${var.log_retention_days}'),
      kmsKeyId: props.keyArn,
    });
    new Wafv2WebAclLoggingConfiguration(this, 'logging', {
      resourceArn: acl.arn,
      logDestinationConfigs: [group.arn],
      redactedFields: [{ singleHeader: { name: 'authorization' } }],
      loggingFilter: {
        defaultBehavior: 'DROP',
        filter: [
          {
            behavior: 'KEEP',
            requirement: 'MEETS_ANY',
            condition: [{ actionCondition: { action: 'BLOCK' } }, { actionCondition: { action: 'COUNT' } }],
          },
        ],
      },
    });
  }
}

function visibility(naming: Naming, noun: string) {
  return { cloudwatchMetricsEnabled: true, sampledRequestsEnabled: true, metricName: naming.name(noun) };
}

function rateRule(naming: Naming, priority: number) {
  return {
    name: 'rate-per-address',
    priority,
    action: { block: {} },
    visibilityConfig: visibility(naming, 'rate-per-address'),
    statement: {
      rate_based_statement: [
        { aggregate_key_type: 'IP', limit: Token.asNumber('${var.edge.requests_per_5_minutes_per_ip}') },
      ],
    },
  };
}

function groupRule(naming: Naming, group: ManagedGroup, priority: number) {
  return {
    name: group.name,
    priority,
    overrideAction: { none: {} },
    visibilityConfig: visibility(naming, group.name),
    statement: {
      managed_rule_group_statement: [
        {
          name: group.name,
          vendor_name: 'AWS',
          rule_action_override: group.countOnly.map((name) => ({ name, action_to_use: [{ count: [{}] }] })),
        },
      ],
    },
  };
}
