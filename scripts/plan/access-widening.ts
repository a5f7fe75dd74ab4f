import { managed } from './inventory.ts';
import type { Attributes, PlanJson } from './plan-json.ts';

/** A right that somebody has after a plan and had not before. */
export interface Widening {
  readonly role: string;
  readonly right: string;
  /** The role itself is new: nobody had it before. */
  readonly ofNewRole: boolean;
}

const policyAttributes: Readonly<Record<string, string>> = {
  aws_iam_role_policy: 'policy',
  aws_iam_policy: 'policy',
  aws_iam_role: 'assume_role_policy',
  aws_kms_key: 'policy',
  aws_s3_bucket_policy: 'policy',
  aws_sqs_queue_policy: 'policy',
  aws_sns_topic_policy: 'policy',
};

/** Every action on every resource that is newly allowed, and every condition that is newly missing. */
export function wideningsOf(plan: PlanJson): readonly Widening[] {
  const newRoles = managed(plan)
    .filter(({ type, change }) => type === 'aws_iam_role' && change.before === null)
    .map(({ change }) => change.after?.name);
  return managed(plan).flatMap(({ address, type, change }) => {
    // A new policy on a role that is there already widens it like any other.
    const ofNewRole = type === 'aws_iam_role_policy' && newRoles.includes(change.after?.role);
    const attribute = policyAttributes[type];
    if (attribute === undefined || change.after === null) return [];
    if (laterOnly(change.after_unknown, attribute)) {
      return change.before === null
        ? []
        : [{ role: address, right: 'unknown until the apply: read the code', ofNewRole: false }];
    }
    const before = rightsIn(change.before?.[attribute]);
    return rightsIn(change.after[attribute])
      .filter((right) => !before.includes(right))
      .map((right) => ({ role: address, right, ofNewRole }));
  });
}

function laterOnly(unknown: Attributes | undefined, attribute: string): boolean {
  return unknown?.[attribute] === true;
}

/** `kinesis:PutRecords on arn:… if {…}`, one per action and resource of each statement that allows. */
function rightsIn(policy: unknown): readonly string[] {
  if (typeof policy !== 'string' || policy === '') return [];
  const { Statement } = JSON.parse(policy) as { readonly Statement: unknown };
  return listOf<Statement>(Statement)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap((statement) => {
      const who = statement.Principal === undefined ? '' : `${JSON.stringify(statement.Principal)} may `;
      const condition = statement.Condition === undefined ? '' : ` if ${JSON.stringify(statement.Condition)}`;
      const resources = listOf<string>(statement.Resource ?? 'itself');
      return listOf<string>(statement.Action).flatMap((action) =>
        resources.map((resource) => `${who}${action} on ${resource}${condition}`),
      );
    });
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

function listOf<T>(value: unknown): readonly T[] {
  return (Array.isArray(value) ? value : [value]) as readonly T[];
}
