import type { Construct } from 'constructs';
import { environments, type PlatformNames, type ServiceName } from '../../services/catalogue.ts';
import type { Bus } from '../bus/index.ts';
import type { Cluster } from '../cluster/index.ts';
import type { Images } from '../images/index.ts';
import type { Keys } from '../keys/index.ts';
import type { Lake } from '../lake/index.ts';
import type { Naming } from '../naming/index.ts';
import type { Network } from '../network/index.ts';
import { ServiceRole } from '../roles/index.ts';
import type { SchemaRegistry } from '../schema-registry/index.ts';
import type { Streams } from '../streams/index.ts';
import type { Tables } from '../tables/index.ts';
import type { ExecutionRole } from './execution-role.ts';
import type { ServiceProps } from './index.ts';

/** What the rest of the platform gives to a service. */
export interface ServiceSurroundings {
  readonly naming: Naming;
  readonly keys: Keys;
  readonly network: Network;
  readonly streams: Streams;
  readonly registry: SchemaRegistry;
  readonly tables: Tables;
  readonly lake: Lake;
  readonly bus: Bus;
  readonly images: Images;
  readonly cluster: Cluster;
  readonly execution: ExecutionRole;
  /** Where alarms go. */
  readonly topicArn: string;
}

/** The properties of each service, with a role of its own and the environment variables that its config.ts declares. */
export function servicePropsOf(
  scope: Construct,
  around: ServiceSurroundings,
): (service: ServiceName) => ServiceProps {
  const { naming, network, cluster, keys, topicArn } = around;
  const environment = environments(platformNames(around));
  return (service) => ({
    naming,
    network,
    cluster,
    topicArn,
    service,
    environment: environment[service],
    repositoryUrl: around.images.repositoryUrl,
    executionRoleArn: around.execution.arn,
    logKeyArn: keys.operationsArn,
    taskRoleArn: new ServiceRole(scope, {
      service,
      naming,
      keyArn: keys.dataArn,
      outboundArns: around.streams.outboundArns,
      lakeArn: around.lake.bucketArn,
      busArn: around.bus.arn,
    }).arn,
  });
}

/** The names that the catalogue makes environment variables of: expressions here, plain names on a laptop. */
function platformNames({ naming, streams, registry, tables, lake, bus }: ServiceSurroundings): PlatformNames {
  return {
    region: naming.region,
    environment: naming.environment,
    inboundStream: streams.inbound,
    outboundStreams: streams.outbound,
    derivedStream: streams.derived,
    lakeBucket: lake.bucketName,
    busQueueUrl: bus.url,
    schemaRegistry: registry.name,
    table: (name) => tables.name(name),
  };
}
