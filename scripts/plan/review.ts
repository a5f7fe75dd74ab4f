import { blockOf, managed, numberOf, streamNoun, textOf } from './inventory.ts';
import type { Action, Attributes, PlanJson, ResourceChange } from './plan-json.ts';

/** Destroying one of these loses events, accounts, or the key that opens them. */
export const statefulTypes: readonly string[] = [
  'aws_kinesis_stream',
  'aws_dynamodb_table',
  'aws_s3_bucket',
  'aws_sqs_queue',
  'aws_kms_key',
  'aws_glue_registry',
  'aws_glue_schema',
  'aws_ecr_repository',
];

export type Kind = 'create' | 'update' | 'replace' | 'delete' | 'forget';

export function kindOf(actions: readonly Action[]): Kind | undefined {
  if (actions.includes('create') && actions.includes('delete')) return 'replace';
  const [only] = actions;
  return only === undefined || only === 'no-op' || only === 'read' ? undefined : only;
}

export interface ChangeLine {
  readonly address: string;
  readonly kind: Kind;
  /** What the change belongs to: a service, or a noun of the platform. */
  readonly group: string;
  /** Attributes that change, for an update; those that force it, for a replacement. */
  readonly attributes: readonly string[];
}

export function changesOf(plan: PlanJson, services: readonly string[]): readonly ChangeLine[] {
  return managed(plan).flatMap((change) => {
    const kind = kindOf(change.change.actions);
    if (kind === undefined) return [];
    return [
      {
        address: change.address,
        kind,
        group: groupOf(change, services),
        attributes: attributesOf(change, kind),
      },
    ];
  });
}

/** Those that lose data. A plan with one of them must not be applied by habit. */
export function atRisk(lines: readonly ChangeLine[]): readonly ChangeLine[] {
  return lines.filter(
    ({ address, kind }) =>
      kind !== 'create' && kind !== 'update' && statefulTypes.includes(address.split('.')[0] ?? ''),
  );
}

/** Names of resources begin with their service; the longest that fits wins. */
function groupOf(change: ResourceChange, services: readonly string[]): string {
  const name = change.name.replaceAll('-', '_');
  const service = services
    .filter((each) => name.startsWith(each.replaceAll('-', '_')))
    .toSorted((a, b) => b.length - a.length)[0];
  return service ?? change.type.replace(/^aws_/, '').split('_')[0] ?? change.type;
}

function attributesOf({ change }: ResourceChange, kind: Kind): readonly string[] {
  if (kind === 'replace') return (change.replace_paths ?? []).map((path) => path.join('.'));
  if (kind !== 'update') return [];
  const { before, after } = change;
  return Object.keys({ ...before, ...after }).filter(
    (name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]),
  );
}

export interface ScalingLine {
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

/** Numbers that make the platform larger or smaller. */
export function scalingOf(plan: PlanJson): readonly ScalingLine[] {
  return managed(plan).flatMap((change) =>
    (scalingFields[change.type] ?? []).flatMap(({ name, read }) => {
      const { before, after } = change.change;
      if (before === null || after === null) return [];
      const [from, to] = [read(before), read(after)];
      return from === to
        ? []
        : [{ what: `${nameOf(change)} ${name}`, from: from ?? 'none', to: to ?? 'none' }];
    }),
  );
}

interface Field {
  readonly name: string;
  readonly read: (values: Attributes) => string | undefined;
}

const field = (name: string): Field => ({ name, read: (values) => numberOf(values, name)?.toString() });

const scalingFields: Readonly<Record<string, readonly Field[]>> = {
  aws_appautoscaling_target: [field('min_capacity'), field('max_capacity')],
  aws_ecs_task_definition: [field('cpu'), field('memory')],
  aws_kinesis_stream: [
    field('shard_count'),
    field('retention_period'),
    {
      name: 'mode',
      read: (values) => textOf(blockOf(values, 'stream_mode_details'), 'stream_mode') || undefined,
    },
  ],
};

function nameOf(change: ResourceChange): string {
  return change.type === 'aws_kinesis_stream'
    ? `stream ${streamNoun({ ...change, values: {} })}`
    : `service ${change.name.replaceAll('_', '-')}`;
}
