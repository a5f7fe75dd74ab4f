import { offlineProviderVersion } from './provider.ts';

/** A synthesised stack: Terraform's JSON syntax. */
export interface StackJson {
  readonly terraform: Readonly<Record<string, unknown>>;
  readonly provider?: Readonly<Record<string, unknown>>;
  readonly variable: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly locals?: Readonly<Record<string, unknown>>;
  readonly data?: Blocks;
  readonly resource: Blocks;
  readonly output?: Readonly<Record<string, unknown>>;
}

/** Type → name → block. */
export type Blocks = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

/** Attributes that the declared provider has and the offline one has not yet. */
const newerAttributes: Readonly<Record<string, readonly string[]>> = {
  aws_kinesis_stream: ['max_record_size_in_kib'],
};

/** The stack without what only a newer provider knows, so that the offline one can check all the rest. */
export function withoutNewerAttributes(stack: StackJson): StackJson {
  const resource = Object.fromEntries(
    Object.entries(stack.resource).map(([type, blocks]) => {
      const newer = newerAttributes[type] ?? [];
      return [type, mapValues(blocks, (block) => without(block, newer))];
    }),
  );
  return { ...stack, resource };
}

/** What an `_override.tf.json` beside the stack says: local state, the offline provider, AWS on loopback. */
export function offlineOverride(endpoint: string): Readonly<Record<string, unknown>> {
  return {
    terraform: {
      backend: { local: {} },
      required_providers: { aws: { source: 'hashicorp/aws', version: offlineProviderVersion } },
    },
    provider: {
      aws: [
        {
          access_key: 'offline',
          secret_key: 'offline',
          skip_credentials_validation: true,
          skip_requesting_account_id: true,
          skip_metadata_api_check: 'true',
          endpoints: [{ sts: endpoint, ec2: endpoint }],
        },
      ],
    },
  };
}

function mapValues<T>(
  record: Readonly<Record<string, T>>,
  change: (value: T) => T,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

function without(
  block: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(block).filter(([name]) => !names.includes(name)));
}
