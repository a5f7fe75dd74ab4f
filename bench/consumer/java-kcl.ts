import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { buildJava, type KclLine } from '../../test/interop/java.ts';
import type { WorkerSettings } from '../fleet/messages.ts';

const compileMs = 120_000;
const source = join(import.meta.dirname, 'java', 'CountingWorker.java');

/** Beside what the interop checks build: their jars, and what differs between the versions. The reason, without. */
export async function buildKcl(line: KclLine): Promise<{ readonly classPath: string } | string> {
  const build = await buildJava(line);
  if (build.type === 'missing') return build.why;
  const target = join(import.meta.dirname, '../../dist/bench', `kcl${line}`);
  await mkdir(target, { recursive: true });
  const options = ['-proc:none', '-Xlint:-options', '-d', target, '-cp', build.classPath];
  await promisify(execFile)('javac', [...options, source], { timeout: compileMs });
  return { classPath: `${target}:${build.classPath}` };
}

/**
 * A JVM with its defaults, and an SDK with its own: it speaks CBOR, which needs no base64. What the worker says on
 * stdout comes as messages, as from a forked process; like one it ends with this process.
 */
export function startKcl(classPath: string, settings: WorkerSettings): ChildProcess {
  const flags = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
  const child = spawn('java', [...flags, '-cp', classPath, 'CountingWorker'], {
    env: {
      PATH: process.env.PATH,
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
      AWS_REGION: 'eu-central-1',
      // Nothing may ask beyond this machine, also not for credentials.
      AWS_EC2_METADATA_DISABLED: 'true',
      INTEROP_MODE: 'CLIENT_VERSION_CONFIG_3X',
      BENCH_STREAM: settings.stream,
      BENCH_KINESIS: settings.kinesisUrl,
      BENCH_DYNAMODB: settings.dynamodbUrl,
      BENCH_TABLE: settings.table,
      BENCH_RECORDS: String(settings.usageAtRecords),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => child.emit('message', JSON.parse(line)));
  return child;
}
