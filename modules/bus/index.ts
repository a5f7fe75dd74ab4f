import { SqsQueue } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import { SqsQueuePolicy } from '@cdktf/provider-aws/lib/sqs-queue-policy/index.js';
import { Fn } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';
import { policyDocument } from '../terraform/policy.ts';

export interface BusProps {
  readonly naming: Naming;
  /** The key that messages are encrypted with. */
  readonly keyArn: string;
}

/** Messages are kept as long as SQS can, so that a broken reader costs nothing but time. */
const retentionSeconds = 1_209_600;
/** After this many receives a message is set aside: more is no longer bad luck. */
const receivesMax = 5;
/** One data key serves five minutes of messages; each further call to KMS costs. */
const dataKeyReuseSeconds = 300;

/** The queue of later work (critical events, archived ranges), and where messages go that no reader could handle. */
export class Bus extends Construct {
  readonly name: string;
  readonly deadLettersName: string;
  readonly arn: string;
  readonly url: string;

  constructor(scope: Construct, props: BusProps) {
    super(scope, 'bus');
    const { naming } = props;
    this.name = naming.name('bus');
    this.deadLettersName = naming.name('bus-dead-letters');
    this.arn = naming.arn('sqs', this.name);
    this.url = `https://sqs.${naming.region}.amazonaws.com/${naming.account}/${this.name}`;
    const deadLetters = this.#queue(props, 'bus-dead-letters', {
      redriveAllowPolicy: Fn.jsonencode({ redrivePermission: 'byQueue', sourceQueueArns: [this.arn] }),
    });
    this.#queue(props, 'bus', {
      visibilityTimeoutSeconds: 120,
      receiveWaitTimeSeconds: 20,
      redrivePolicy: Fn.jsonencode({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: receivesMax }),
    });
  }

  #queue(props: BusProps, noun: string, more: Readonly<Record<string, string | number>>): SqsQueue {
    const { naming, keyArn } = props;
    const queue = new SqsQueue(this, noun, {
      name: naming.name(noun),
      messageRetentionSeconds: retentionSeconds,
      kmsMasterKeyId: keyArn,
      kmsDataKeyReusePeriodSeconds: dataKeyReuseSeconds,
      ...more,
    });
    pin(queue, noun.replaceAll('-', '_'));
    new SqsQueuePolicy(this, `${noun}-policy`, {
      queueUrl: queue.url,
      policy: policyDocument([
        {
          sid: 'TlsOnly',
          effect: 'Deny',
          principals: '*',
          actions: ['sqs:*'],
          resources: [naming.arn('sqs', naming.name(noun))],
          conditions: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ]),
    });
    return queue;
  }
}
