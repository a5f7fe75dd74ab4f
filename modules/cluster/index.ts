import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js';
import { EcsCluster } from '@cdktf/provider-aws/lib/ecs-cluster/index.js';
import { EcsClusterCapacityProviders } from '@cdktf/provider-aws/lib/ecs-cluster-capacity-providers/index.js';
import { Token, type TerraformResource } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';

export interface ClusterProps {
  readonly naming: Naming;
  /** The key of logs; sessions into a task, should they ever be switched on, are encrypted and logged with it. */
  readonly keyArn: string;
}

/** The Fargate cluster, on demand and Spot. */
export class Cluster extends Construct {
  readonly name: string;
  readonly arn: string;
  /** Services must wait for it: they are started by capacity provider. */
  readonly ready: TerraformResource;

  constructor(scope: Construct, props: ClusterProps) {
    super(scope, 'cluster');
    const { naming, keyArn } = props;
    this.name = naming.prefix;
    const sessions = new CloudwatchLogGroup(this, 'sessions', {
      name: `/${naming.prefix}/sessions`,
      retentionInDays: Token.asNumber('${var.log_retention_days}'),
      kmsKeyId: keyArn,
    });
    const cluster = new EcsCluster(this, 'cluster', {
      name: naming.prefix,
      setting: [{ name: 'containerInsights', value: '${var.container_insights}' }],
      configuration: {
        executeCommandConfiguration: {
          kmsKeyId: keyArn,
          logging: 'OVERRIDE',
          logConfiguration: {
            cloudWatchEncryptionEnabled: true,
            cloudWatchLogGroupName: sessions.name,
          },
        },
      },
    });
    this.arn = pin(cluster, 'platform').arn;
    this.ready = new EcsClusterCapacityProviders(this, 'capacity', {
      clusterName: cluster.name,
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
    });
  }
}
