import { buildSync } from 'esbuild';

/** `PutRecordsCommand` of `@aws-sdk/client-kinesis` as `kinesis:PutRecords`. */
export type SdkCall = string;

const services: Readonly<Record<string, string>> = {
  '@aws-sdk/client-kinesis': 'kinesis',
  '@aws-sdk/client-dynamodb': 'dynamodb',
  '@aws-sdk/lib-dynamodb': 'dynamodb',
  '@aws-sdk/client-s3': 's3',
  '@aws-sdk/client-sqs': 'sqs',
  '@aws-sdk/client-glue': 'glue',
};

/**
 * Every SDK call that the code of an entry point can make: its modules are bundled, what nothing uses is shaken off,
 * and the commands that are still imported are read from the result. Packages stay outside.
 */
export function callsOf(entry: string): readonly SdkCall[] {
  return callsIn(bundle(entry));
}

/** Packages that an entry point still imports after that, node's own left out. */
export function importsOf(entry: string): readonly string[] {
  const specifiers = [...bundle(entry).matchAll(/^import [\s\S]*?"([^"]+)";$/gm)];
  const names = specifiers
    .map(([, from = '']) => from)
    .filter((name) => !name.startsWith('node:'))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  return [...new Set(names)];
}

function bundle(entry: string): string {
  const built = buildSync({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    treeShaking: true,
    logLevel: 'silent',
  });
  return built.outputFiles[0]?.text ?? '';
}

/** Commands that are imported and made: unused functions are gone from a bundle, the names they imported are not. */
export function callsIn(bundle: string): readonly SdkCall[] {
  const calls = new Set<SdkCall>();
  for (const [, names = '', module = ''] of bundle.matchAll(
    /import\s*\{([^}]*)\}\s*from\s*"(@aws-sdk\/[^"]+)"/g,
  )) {
    for (const each of names.split(',')) {
      const [name = '', alias = name] = each.trim().split(/\s+as\s+/);
      if (!name.endsWith('Command') || !bundle.includes(`new ${alias}(`)) continue;
      calls.add(`${services[module] ?? module}:${name.slice(0, -'Command'.length)}`);
    }
  }
  return [...calls].toSorted();
}

/** Calls whose IAM action has another name. https://docs.aws.amazon.com/service-authorization/latest/reference/ */
const actionNames: Readonly<Record<SdkCall, string>> = {
  'dynamodb:Get': 'dynamodb:GetItem',
  'dynamodb:Put': 'dynamodb:PutItem',
  'dynamodb:Update': 'dynamodb:UpdateItem',
  'dynamodb:Delete': 'dynamodb:DeleteItem',
  'dynamodb:BatchGet': 'dynamodb:BatchGetItem',
  'dynamodb:BatchWrite': 'dynamodb:BatchWriteItem',
  's3:ListObjectsV2': 's3:ListBucket',
  'sqs:SendMessageBatch': 'sqs:SendMessage',
};

export function actionOf(call: SdkCall): string {
  return actionNames[call] ?? call;
}
