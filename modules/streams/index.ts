import { KinesisStream } from '@cdktf/provider-aws/lib/kinesis-stream/index.js';
import { TerraformIterator, Token } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { local } from '../terraform/local.ts';
import { pin } from '../terraform/pin.ts';

export interface StreamsProps {
  readonly naming: Naming;
  /** The key that records are encrypted with. */
  readonly keyArn: string;
}

/** The streams in event order: inbound, one outbound per kind of data, derived. */
export class Streams extends Construct {
  readonly inbound: string;
  readonly derived: string;
  /** JSON, by the names that flow/routes.yaml uses; known when the plan is made. */
  readonly outbound: string;
  /** ARNs of the outbound streams, as a list expression. */
  readonly outboundArns: string[];

  constructor(scope: Construct, props: StreamsProps) {
    super(scope, 'streams');
    const { naming } = props;
    this.inbound = naming.name('inbound');
    this.derived = naming.name('derived');
    this.#stream('inbound', 'var.inbound_stream', this.inbound, props);
    this.#outbound(props);
    this.#stream('derived', 'var.derived_stream', this.derived, props);
    const names = local(
      this,
      'outbound_names',
      '{ for name in keys(var.outbound_streams) : name => format("%s-%s", local.prefix, name) }',
    );
    this.outbound = local(this, 'outbound_json', `jsonencode(${names.fqn})`).asString;
    this.outboundArns = local(
      this,
      'outbound_arns',
      `[for name in values(${names.fqn}) : format("arn:%s:kinesis:%s:%s:stream/%s", data.aws_partition.partition.partition, var.aws_region, data.aws_caller_identity.caller.account_id, name)]`,
    ).asList;
  }

  #stream(noun: string, settings: string, name: string, props: StreamsProps): void {
    pin(new KinesisStream(this, noun, { name, ...shape(settings, props.keyArn) }), noun);
  }

  #outbound(props: StreamsProps): void {
    const each = TerraformIterator.fromMap(Token.asAnyMap('${var.outbound_streams}'));
    const stream = new KinesisStream(this, 'outbound', {
      forEach: each,
      name: '${local.prefix}-${each.key}',
      ...shape('each.value', props.keyArn),
    });
    pin(stream, 'outbound');
  }
}

/** What every stream has; `settings` is the HCL expression of one stream variable. */
function shape(settings: string, keyArn: string) {
  return {
    // Null when on demand: the rules of the variable see to it.
    shardCount: Token.asNumber(`\${${settings}.shard_count}`),
    streamModeDetails: { streamMode: `\${${settings}.mode}` },
    retentionPeriod: Token.asNumber(`\${${settings}.retention_hours}`),
    maxRecordSizeInKib: Token.asNumber(`\${${settings}.record_kib}`),
    shardLevelMetrics: Token.asList(`\${${settings}.shard_metrics}`),
    encryptionType: 'KMS',
    kmsKeyId: keyArn,
    // A stream whose fan-out consumers would die with it must not be deleted by the way.
    enforceConsumerDeletion: false,
    lifecycle: { preventDestroy: true },
  };
}
