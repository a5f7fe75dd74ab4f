import { AthenaWorkgroup } from '@cdktf/provider-aws/lib/athena-workgroup/index.js';
import { GlueCatalogDatabase } from '@cdktf/provider-aws/lib/glue-catalog-database/index.js';
import { GlueCatalogTable } from '@cdktf/provider-aws/lib/glue-catalog-table/index.js';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';

export interface CatalogueProps {
  readonly naming: Naming;
  readonly bucketName: string;
  /** The key of the lake; results are encrypted with it too. */
  readonly keyArn: string;
  /** `archive/`, as lib/stores/archive-layout.ts has it. */
  readonly archivePrefix: string;
}

/** A query that reads more is a mistake more often than a wish: 100 GiB cost about half a dollar. */
const scanBytesMax = 100 * 1024 ** 3;
/** Days before this have no partition. */
const firstDay = '2024-01-01';

/** Columns of a line of the archive; `data` is JSON text. `event_type` is the partition. */
const columns = [
  ['id', 'string'],
  ['source', 'string'],
  ['type', 'string'],
  ['subject', 'string'],
  ['time', 'string'],
  ['created_datetime', 'string'],
  ['event_subtype', 'string'],
  ['city', 'string'],
  ['severity', 'string'],
  ['kind', 'string'],
  ['data', 'string'],
] as const;

/**
 * The archive as a table of Athena. Partitions are computed from the query, so none is ever added: a query must say
 * `event_type = '…'`, and should say `date`.
 */
export class Catalogue extends Construct {
  constructor(scope: Construct, props: CatalogueProps) {
    super(scope, 'catalogue');
    const { naming } = props;
    const database = new GlueCatalogDatabase(this, 'database', {
      name: '${replace(local.prefix, "-", "_")}',
      description: `Events of ${naming.environment}`,
    });
    this.#table(props, pin(database, 'lake').name);
    this.#workgroup(props);
  }

  #table({ bucketName, archivePrefix }: CatalogueProps, databaseName: string): void {
    const location = `s3://${bucketName}/${archivePrefix}`;
    const table = new GlueCatalogTable(this, 'events', {
      name: 'events',
      databaseName,
      tableType: 'EXTERNAL_TABLE',
      partitionKeys: [
        { name: 'event_type', type: 'string' },
        { name: 'date', type: 'string' },
      ],
      parameters: {
        EXTERNAL: 'TRUE',
        classification: 'json',
        compressionType: 'gzip',
        'projection.enabled': 'true',
        'projection.event_type.type': 'injected',
        'projection.date.type': 'date',
        'projection.date.format': 'yyyy-MM-dd',
        'projection.date.range': `${firstDay},NOW`,
        // Two dollars: Terraform would take one for an expression of its own.
        'storage.location.template': `${location}event_type=$\${event_type}/date=$\${date}/`,
      },
      storageDescriptor: {
        location,
        inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
        outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
        serDeInfo: { serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
        columns: columns.map(([name, type]) => ({ name, type })),
      },
    });
    pin(table, 'events');
  }

  #workgroup({ naming, bucketName, keyArn }: CatalogueProps): void {
    const workgroup = new AthenaWorkgroup(this, 'workgroup', {
      name: naming.prefix,
      description: 'Queries of the lake, with a limit on what one may read',
      configuration: {
        enforceWorkgroupConfiguration: true,
        publishCloudwatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: scanBytesMax,
        resultConfiguration: {
          outputLocation: `s3://${bucketName}/queries/`,
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKeyArn: keyArn },
        },
      },
    });
    pin(workgroup, 'lake');
  }
}
