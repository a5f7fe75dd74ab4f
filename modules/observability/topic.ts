import { SnsTopic } from '@cdktf/provider-aws/lib/sns-topic/index.js';
import { SnsTopicPolicy } from '@cdktf/provider-aws/lib/sns-topic-policy/index.js';
import { SnsTopicSubscription } from '@cdktf/provider-aws/lib/sns-topic-subscription/index.js';
import { TerraformIterator } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';
import { policyDocument } from '../terraform/policy.ts';
import type { Variables } from '../variables/index.ts';

export interface AlarmTopicProps {
  readonly naming: Naming;
  readonly variables: Variables;
  /** The key of operations: CloudWatch may use it. */
  readonly keyArn: string;
}

/** Where alarms go, and who reads them. */
export class AlarmTopic extends Construct {
  readonly arn: string;

  constructor(scope: Construct, props: AlarmTopicProps) {
    super(scope, 'alarm-topic');
    const { naming } = props;
    this.arn = naming.arn('sns', naming.name('alarms'));
    const topic = new SnsTopic(this, 'topic', { name: naming.name('alarms'), kmsMasterKeyId: props.keyArn });
    pin(topic, 'alarms');
    new SnsTopicPolicy(this, 'policy', {
      arn: topic.arn,
      policy: policyDocument([
        {
          sid: 'OurAlarms',
          principals: { Service: ['cloudwatch.amazonaws.com', 'budgets.amazonaws.com'] },
          actions: ['sns:Publish'],
          resources: [this.arn],
          conditions: { StringEquals: { 'aws:SourceAccount': naming.account } },
        },
      ]),
    });
    new SnsTopicSubscription(this, 'mail', {
      forEach: TerraformIterator.fromList(props.variables.list('alarms', 'emails')),
      topicArn: topic.arn,
      protocol: 'email',
      endpoint: '${each.value}',
    });
  }
}
