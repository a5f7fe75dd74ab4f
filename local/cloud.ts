import { messageOf } from '../lib/runtime/errors.ts';
import { startDynamoDb } from './dynamodb.ts';
import { startGlue } from './glue/server.ts';
import { startKinesis } from './kinesis/server.ts';
import type { StandIn } from './listen.ts';
import { startS3 } from './s3/server.ts';
import { startSqs } from './sqs.ts';

/** When the supervisor is gone without a word, its services still drain; they need us that long. */
const graceMs = 3_000;

interface CloudArguments {
  readonly dataDir: string;
  readonly region: string;
  readonly accountId: string;
  /** Stand-ins to run in this process, with their ports (0: any). */
  readonly ports: Readonly<Record<string, number>>;
}

const starters: Readonly<Record<string, (args: CloudArguments, port: number) => Promise<StandIn>>> = {
  kinesis: (args, port) => startKinesis({ ...args, port, host: '127.0.0.1', limits: 'off' }),
  dynamodb: (args, port) => startDynamoDb({ ...args, port, host: '127.0.0.1' }),
  s3: (args, port) => startS3({ ...args, port, host: '127.0.0.1' }),
  sqs: (_args, port) => startSqs({ port, host: '127.0.0.1' }),
  glue: (args, port) => startGlue({ ...args, port, host: '127.0.0.1' }),
};

/** One process of the laptop cloud: `cloud.ts '{"ports":{"kinesis":4502},…}'`. Tells its ports over IPC. */
async function main(args: CloudArguments): Promise<void> {
  const started: StandIn[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((standIn) => standIn.close()));
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('disconnect', () => setTimeout(() => void stop(), graceMs));
  const ports: Record<string, number> = {};
  for (const [name, port] of Object.entries(args.ports)) {
    const standIn = await starters[name]?.(args, port);
    if (standIn === undefined) throw new TypeError(`There is no stand-in ${name}`);
    started.push(standIn);
    ports[name] = standIn.port;
  }
  process.send?.({ ports });
}

try {
  await main(JSON.parse(process.argv[2] ?? '{}') as CloudArguments);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
