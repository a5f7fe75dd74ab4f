import { join } from 'node:path';
import { App, TerraformStack } from 'cdktf';
import { ConfigError } from './lib/runtime/errors.ts';
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
import { Outputs } from './modules/outputs/index.ts';
import { RawArchive } from './modules/raw-archive/index.ts';
import { deployableSchemas } from './modules/schema-registry/history.ts';
import { SchemaRegistry } from './modules/schema-registry/index.ts';
import { ExecutionRole } from './modules/service/execution-role.ts';
import { servicePropsOf } from './modules/service/props.ts';
import { Streams } from './modules/streams/index.ts';
import { Tables } from './modules/tables/index.ts';
import { StateInS3 } from './modules/terraform/backend.ts';
import { declareProvider } from './modules/terraform/provider.ts';
import { allVariables } from './modules/variables/all.ts';
import { Variables } from './modules/variables/index.ts';
import { Worker } from './modules/worker/index.ts';

/** The deployment, in the order events travel. Sizes come from tfvars, rules from the folder `flow`. */
class Platform extends TerraformStack {
  constructor(app: App, flow: string) {
    super(app, 'platform');
    new StateInS3(this);
    const ground = this.#ground(flow);
    const storage = this.#storage(ground, flow);
    const runtime = this.#runtime(ground, storage);
    const { ingest, query } = this.#services(ground, storage, runtime);
    this.#copies(ground, storage);
    new Observability(this, {
      ...ground,
      ...storage,
      ...runtime,
      targetGroups: { ingest: ingest.targets.arnSuffix, query: query.targets.arnSuffix },
    });
    new Budget(this, ground.naming);
    this.#outputs(storage, runtime);
  }

  /** What everything else stands on. */
  #ground(flow: string) {
    const variables = new Variables(this, allVariables(flow));
    const naming = new Naming(this, variables);
    declareProvider(this, variables, naming);
    const keys = new Keys(this, naming);
    const network = new Network(this, { naming, keyArn: keys.operationsArn });
    return { variables, naming, keys, network };
  }

  /** Where events lie. */
  #storage({ naming, keys }: Ground, flow: string) {
    const sealed = { naming, keyArn: keys.dataArn };
    return {
      streams: new Streams(this, sealed),
      registry: new SchemaRegistry(this, { naming, schemas: deployableSchemas(join(flow, 'schemas')) }),
      tables: new Tables(this, sealed),
      lake: new Lake(this, sealed),
      bus: new Bus(this, sealed),
    };
  }

  /** What the services run on, are reached by and report to. */
  #runtime({ variables, naming, keys, network }: Ground, { lake }: Storage) {
    const sealed = { naming, keyArn: keys.operationsArn };
    const images = new Images(this, { naming, keyArn: keys.dataArn });
    const cluster = new Cluster(this, sealed);
    const execution = new ExecutionRole(this, { naming, repositoryArn: images.repositoryArn });
    const edge = new Edge(this, {
      ...sealed,
      variables,
      network,
      logBucket: lake.logs.name,
      logBucketReady: lake.logs.policy,
    });
    const { arn: topicArn } = new AlarmTopic(this, { ...sealed, variables });
    new MonitoringExport(this, { ...sealed, executionRoleName: execution.roleName });
    return { images, cluster, execution, edge, topicArn };
  }

  /** Events come in, are routed, kept, archived, counted, watched; and asked for. */
  #services(ground: Ground, storage: Storage, runtime: Runtime) {
    const service = servicePropsOf(this, { ...ground, ...storage, ...runtime });
    const { edge } = runtime;
    const ingest = new HttpService(this, { ...service('ingest'), edge, priority: 10 });
    new Worker(this, service('router'));
    new Worker(this, service('event-store'));
    new Worker(this, service('archiver'));
    new Worker(this, service('aggregator'));
    new Worker(this, service('alerter'));
    new Worker(this, service('detector'));
    const query = new HttpService(this, { ...service('query'), edge, priority: 20 });
    return { ingest, query };
  }

  /** Copies that are made beside the flow, where tfvars asks for them. */
  #copies({ naming, keys }: Ground, { streams, tables, lake }: Storage): void {
    new ChangeCapture(this, { naming, tables, table: 'events', keyArn: keys.dataArn });
    new RawArchive(this, {
      naming,
      inboundArn: naming.arn('kinesis', `stream/${streams.inbound}`),
      bucketArn: lake.bucketArn,
      dataKeyArn: keys.dataArn,
      logKeyArn: keys.operationsArn,
    });
  }

  #outputs({ streams, lake, bus }: Storage, { edge, images, cluster }: Runtime): void {
    new Outputs(this, {
      ingest_url: { description: 'Where events are sent', value: `https://ingest.${edge.domain}` },
      query_url: { description: 'API and dashboard', value: `https://query.${edge.domain}` },
      image_repository: { description: 'Where releases are pushed', value: images.repositoryUrl },
      cluster: { description: 'ECS cluster; the dashboard of CloudWatch has its name', value: cluster.name },
      inbound_stream: { description: 'Stream of accepted events', value: streams.inbound },
      outbound_streams: { description: 'Streams of routed events, JSON by name', value: streams.outbound },
      lake_bucket: { description: 'Archive, manifests, bodies of large records', value: lake.bucketName },
      bus_queue_url: { description: 'Queue of later work', value: bus.url },
    });
  }
}

type Ground = { variables: Variables; naming: Naming; keys: Keys; network: Network };
type Storage = { streams: Streams; registry: SchemaRegistry; tables: Tables; lake: Lake; bus: Bus };
type Runtime = { images: Images; cluster: Cluster; execution: ExecutionRole; edge: Edge; topicArn: string };

/** Writes the stack and says where. Rules of `flow` that cannot be deployed are refused here, before any call to AWS. */
function synthesise(): void {
  const app = new App({ outdir: process.env.CDKTF_OUTDIR ?? 'cdktf.out' });
  new Platform(app, 'flow');
  app.synth();
  process.stderr.write(`${join(app.outdir, 'stacks', 'platform', 'cdk.tf.json')}\n`);
}

try {
  synthesise();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
