import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, TerraformStack } from 'cdktf';
import { tableNames } from './lib/stores/tables.ts';
import { Budget } from './modules/budget/index.ts';
import { Bus } from './modules/bus/index.ts';
import { ChangeCapture } from './modules/cdc/index.ts';
import { Cluster } from './modules/cluster/index.ts';
import { Edge } from './modules/edge/index.ts';
import { HttpService } from './modules/http-service/index.ts';
import { Images } from './modules/images/index.ts';
import { Keys } from './modules/keys/index.ts';
import { Lake } from './modules/lake/index.ts';
import { MonitoringExport } from './modules/monitoring-export/index.ts';
import { Naming } from './modules/naming/index.ts';
import { Network } from './modules/network/index.ts';
import { Observability } from './modules/observability/index.ts';
import { AlarmTopic } from './modules/observability/topic.ts';
import { RawArchive } from './modules/raw-archive/index.ts';
import { reads } from './modules/roles/access.ts';
import { ServiceRole } from './modules/roles/index.ts';
import { SchemaRegistry } from './modules/schema-registry/index.ts';
import { readSchemas } from './modules/schema-registry/schemas.ts';
import { ExecutionRole } from './modules/service/execution-role.ts';
import { readRoutedStreams } from './modules/streams/routed.ts';
import { Streams } from './modules/streams/index.ts';
import { Tables } from './modules/tables/index.ts';
import { StateInS3 } from './modules/terraform/backend.ts';
import { declareProvider } from './modules/terraform/provider.ts';
import { allVariables } from './modules/variables/all.ts';
import { Variables } from './modules/variables/index.ts';
import { Worker } from './modules/worker/index.ts';
import { catalogue, environments, serviceNames, type ServiceName } from './services/catalogue.ts';

/** The deployment, in the order events travel. Sizes come from tfvars, rules from the folder `flow`. */
export class Platform extends TerraformStack {
  constructor(app: App, flow: string) {
    super(app, 'platform');
    const variables = new Variables(
      this,
      allVariables({
        services: serviceNames,
        tables: tableNames,
        routedStreams: readRoutedStreams(join(flow, 'routes.yaml')),
        shardLimits: Object.entries(reads).map(([service, streams]) => ({ service, reads: streams })),
      }),
    );
    new StateInS3(this);
    const naming = new Naming(this, variables);
    declareProvider(this, variables, naming);
    const keys = new Keys(this, naming);
    const network = new Network(this, { naming, keyArn: keys.operationsArn });

    // Where events lie.
    const streams = new Streams(this, { naming, keyArn: keys.dataArn });
    const registry = new SchemaRegistry(this, { naming, schemas: readSchemas(join(flow, 'schemas')) });
    const tables = new Tables(this, { naming, keyArn: keys.dataArn });
    const lake = new Lake(this, { naming, keyArn: keys.dataArn });
    const bus = new Bus(this, { naming, keyArn: keys.dataArn });

    // What the services run on.
    const images = new Images(this, { naming, keyArn: keys.dataArn });
    const cluster = new Cluster(this, { naming, keyArn: keys.operationsArn });
    const execution = new ExecutionRole(this, { naming, repositoryArn: images.repositoryArn });
    const edge = new Edge(this, {
      naming,
      variables,
      network,
      logBucket: lake.logs.name,
      logBucketReady: lake.logs.policy,
      keyArn: keys.operationsArn,
    });

    const alarmTopic = new AlarmTopic(this, { naming, variables, keyArn: keys.operationsArn });
    new MonitoringExport(this, { naming, keyArn: keys.operationsArn, executionRoleName: execution.roleName });
    new Budget(this, naming);

    const environment = environments({
      region: naming.region,
      environment: naming.environment,
      inboundStream: streams.inbound,
      outboundStreams: streams.outbound,
      derivedStream: streams.derived,
      lakeBucket: lake.bucketName,
      busQueueUrl: bus.url,
      schemaRegistry: registry.name,
      table: (name) => tables.name(name),
    });
    const service = (name: ServiceName) => ({
      naming,
      network,
      cluster,
      service: name,
      environment: environment[name],
      repositoryUrl: images.repositoryUrl,
      executionRoleArn: execution.arn,
      logKeyArn: keys.operationsArn,
      topicArn: alarmTopic.arn,
      taskRoleArn: new ServiceRole(this, {
        service: name,
        naming,
        keyArn: keys.dataArn,
        outboundArns: streams.outboundArns,
        lakeArn: lake.bucketArn,
        busArn: bus.arn,
      }).arn,
    });

    // Events come in, are routed, kept, archived, counted, watched; and asked for.
    const ingest = new HttpService(this, { ...service('ingest'), edge, priority: 10 });
    new Worker(this, service('router'));
    new Worker(this, service('event-store'));
    new Worker(this, service('archiver'));
    new Worker(this, service('aggregator'));
    new Worker(this, service('alerter'));
    new Worker(this, service('detector'));
    const query = new HttpService(this, { ...service('query'), edge, priority: 20 });

    // What is beside the flow, and what watches it.
    new ChangeCapture(this, { naming, tables, table: 'events', keyArn: keys.dataArn });
    new RawArchive(this, {
      naming,
      inboundArn: naming.arn('kinesis', `stream/${streams.inbound}`),
      bucketArn: lake.bucketArn,
      dataKeyArn: keys.dataArn,
      logKeyArn: keys.operationsArn,
    });
    new Observability(this, {
      naming,
      topicArn: alarmTopic.arn,
      cluster,
      streams,
      tables,
      bus,
      edge,
      services: Object.values(catalogue),
      targetGroups: { ingest: ingest.targets.arnSuffix, query: query.targets.arnSuffix },
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = new App();
  new Platform(app, 'flow');
  app.synth();
}
