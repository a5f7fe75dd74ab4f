import type { TableDefinition } from '../../lib/stores/tables.ts';
import { tables } from '../../lib/stores/tables.ts';
import type { Naming } from '../naming/index.ts';
import type { Statement } from '../terraform/policy.ts';
import type { Grant, Target } from './access.ts';

/** Where the things of the platform are; ARNs made of names, so that a plan shows them. */
export interface Places {
  readonly naming: Naming;
  readonly outboundArns: readonly string[];
  readonly lakeArn: string;
  readonly busArn: string;
}

/** S3 actions on the bucket itself; all others are on objects. */
const bucketActions = new Set(['s3:ListBucket', 's3:GetBucketLocation']);

/** One statement per grant, and one more where it reaches the outbound streams: their list is an expression. */
export function statementsOf(grants: readonly Grant[], places: Places): readonly Statement[] {
  return grants.flatMap((grant) => {
    const { actions } = grant;
    const outbound = grant.on.filter((target) => target.type === 'stream' && target.stream === 'outbound');
    const resources = grant.on
      .filter((target) => !outbound.includes(target))
      .flatMap((target) => arnsOf(target, actions, places));
    return [
      ...(resources.length > 0 ? [{ actions, resources }] : []),
      ...(outbound.length > 0 ? [{ actions, resources: places.outboundArns }] : []),
    ];
  });
}

function arnsOf(target: Target, actions: readonly string[], places: Places): readonly string[] {
  const { naming } = places;
  switch (target.type) {
    case 'stream':
      return [naming.arn('kinesis', `stream/${naming.name(target.stream)}`)];
    case 'table': {
      const arn = naming.arn('dynamodb', `table/${naming.name(target.table)}`);
      const definition: TableDefinition = tables[target.table];
      const indexed = definition.indexes.length > 0 && actions.includes('dynamodb:Query');
      return indexed ? [arn, `${arn}/index/*`] : [arn];
    }
    case 'lake':
      return actions.every((action) => bucketActions.has(action))
        ? [places.lakeArn]
        : [`${places.lakeArn}/*`];
    case 'bus':
      return [places.busArn];
    case 'registry':
      return [
        naming.arn('glue', `registry/${naming.name('events')}`),
        naming.arn('glue', `schema/${naming.name('events')}/*`),
      ];
  }
}

/** Actions after which the service that stores the data asks KMS for a data key in the caller's name. */
const encrypting = new Set(['kinesis:PutRecords', 'kinesis:PutRecord', 's3:PutObject', 'sqs:SendMessage']);

/** Reading anything of ours needs Decrypt; only through the services that store it. */
export function keyStatement(grants: readonly Grant[], naming: Naming, keyArn: string): Statement {
  const actions = grants.flatMap((grant) => grant.actions);
  const via = [...new Set(actions.map((action) => action.split(':')[0] ?? ''))].filter(
    (name) => name !== 'glue',
  );
  return {
    actions: [
      'kms:Decrypt',
      ...(actions.some((action) => encrypting.has(action)) ? ['kms:GenerateDataKey'] : []),
    ],
    resources: [keyArn],
    conditions: {
      StringEquals: { 'kms:ViaService': via.map((name) => `${name}.${naming.region}.amazonaws.com`) },
    },
  };
}
