import { CreateStreamCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { expect } from 'chai';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { createAwsKinesis } from '../../../lib/streams/aws-kinesis.ts';
import { type KinesisServer, startKinesis } from '../../../local/kinesis/server.ts';
import { startTables, type TestTables } from '../../support/dynalite-tables.ts';

const root = join(import.meta.dirname, '../../..');
const region = 'eu-central-1';

/** The example of this name in the README of lib/leases, as it is printed there. */
function example(name: string): string {
  const readme = readFileSync(join(root, 'lib/leases/README.md'), 'utf8');
  const [, text] = readme.split(`\`\`\`ts ${name}\n`);
  if (text === undefined) throw new Error(`The README of lib/leases has no example ${name}`);
  return text.slice(0, text.indexOf('```'));
}

const { exports: exported } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, unknown>>;
};
const examples = ['worker.ts', 'lanes.ts', 'handler.test.ts'];

/** What a stranger does: the package, packed and installed into a project of its own, and the README's examples. */
describe('the library, packed and installed', function () {
  this.timeout(60_000);
  const project = mkdtempSync(join(tmpdir(), 'weir-library-'));
  const running: ChildProcess[] = [];
  let kinesis: KinesisServer;
  let tables: TestTables;
  let client: KinesisClient;

  before(async () => {
    kinesis = await startKinesis({ port: 0, region, accountId: '000000000000', limits: 'off' });
    tables = await startTables([]);
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    client = new KinesisClient({ region, endpoint: kinesis.url, credentials });
    await client.send(new CreateStreamCommand({ StreamName: 'orders', ShardCount: 1 }));
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', project], { cwd: root });
    const installed = join(project, 'node_modules/weir');
    mkdirSync(installed, { recursive: true });
    const archive = join(project, packed.toString().trim().split('\n').at(-1) ?? '');
    execFileSync('tar', ['-xzf', archive, '-C', installed, '--strip-components=1']);
    for (const name of ['@aws-sdk', '@bufbuild', '@smithy', '@types', 'undici-types', 'winston']) {
      symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
    }
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    for (const name of examples) writeFileSync(join(project, name), example(name));
  });
  after(async () => {
    for (const child of running) child.kill('SIGKILL');
    client.destroy();
    await kinesis.close();
    await tables.close();
    rmSync(project, { recursive: true });
  });

  const run = async (file: string): Promise<ChildProcess> => {
    const { hostname, port } = await tables.client.config.endpoint!();
    const environment = {
      AWS_ENDPOINT_URL_KINESIS: kinesis.url,
      AWS_ENDPOINT_URL_DYNAMODB: `http://${hostname}:${port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: region,
    };
    const child = spawn(
      process.execPath,
      ['--import', join(root, 'node_modules/tsx/dist/loader.mjs'), file],
      {
        cwd: project,
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    running.push(child);
    return child;
  };

  it('has types under which the examples compile', () => {
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const compiler = join(root, 'node_modules/.bin/tsc');
    execFileSync(compiler, [...options, ...examples], { cwd: project, stdio: 'inherit' });
  });

  it('exports only what is there', () => {
    const imports = Object.keys(exported).map((path) => `import('${path.replace('.', 'weir')}')`);
    const script = `await Promise.all([${imports.join()}])`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: project });
  });

  const put = async (partitionKeys: readonly string[]): Promise<void> => {
    const entries = partitionKeys.map((partitionKey) => ({ partitionKey, data: Buffer.from('an order') }));
    await createAwsKinesis(client).put('orders', entries);
  };

  it('consumes a stream from an empty account on, and stops in order at SIGTERM', async () => {
    await put(['a customer']);
    const worker = await run('worker.ts');
    const [line] = (await once(createInterface({ input: worker.stdout! }), 'line')) as [string];
    expect(line).to.match(/^shardId-000000000000 \d+ a customer an order$/);
    worker.kill('SIGTERM');
    expect((await once(worker, 'exit'))[0]).to.equal(0);
  });

  it('works on many keys at once: one that takes long does not hold up the others', async () => {
    const waiting = new Map<string, ServerResponse>();
    let arrived = (): void => {};
    const mail = createServer((request, response) => {
      waiting.set(new URL(request.url ?? '', 'http://mail').searchParams.get('to') ?? '', response);
      arrived();
    });
    await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', resolve));
    const { port } = mail.address() as AddressInfo;
    const text = example('lanes.ts').replace('8025', String(port));
    writeFileSync(join(project, 'lanes.ts'), text);
    await put(['slow', 'quick']);
    const worker = await run('lanes.ts');
    const known = (): boolean => ['slow', 'quick', 'a customer'].every((key) => waiting.has(key));
    while (!known()) await new Promise<void>((resolve) => (arrived = resolve));
    for (const response of waiting.values()) response.end();
    worker.kill('SIGTERM');
    expect((await once(worker, 'exit'))[0]).to.equal(0);
    mail.close();
  });

  it('has a kit with which a handler is tested through the death of a worker', async () => {
    const test = await run('handler.test.ts');
    expect((await once(test, 'exit'))[0]).to.equal(0);
  });
});
