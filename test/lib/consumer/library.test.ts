import { CreateStreamCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { expect } from 'chai';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** What a stranger does: the package, packed and installed into a project of its own, and the README's examples. */
describe('the library, packed and installed', function () {
  this.timeout(60_000);
  const project = mkdtempSync(join(tmpdir(), 'weir-library-'));
  const running: ChildProcess[] = [];
  let kinesis: KinesisServer;
  let tables: TestTables;

  before(async () => {
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', project], { cwd: root });
    const installed = join(project, 'node_modules/weir');
    mkdirSync(installed, { recursive: true });
    const archive = join(project, packed.toString().trim().split('\n').at(-1) ?? '');
    execFileSync('tar', ['-xzf', archive, '-C', installed, '--strip-components=1']);
    for (const name of ['@aws-sdk', '@bufbuild', '@smithy', '@types', 'undici-types', 'winston']) {
      symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
    }
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    for (const name of ['worker.ts', 'handler.test.ts']) writeFileSync(join(project, name), example(name));
    kinesis = await startKinesis({ port: 0, region, accountId: '000000000000', limits: 'off' });
    tables = await startTables([]);
  });
  after(async () => {
    for (const child of running) child.kill('SIGKILL');
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
    execFileSync(compiler, [...options, 'worker.ts', 'handler.test.ts'], { cwd: project, stdio: 'inherit' });
  });

  it('consumes a stream from an empty account on, and stops in order at SIGTERM', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new KinesisClient({ region, endpoint: kinesis.url, credentials });
    await client.send(new CreateStreamCommand({ StreamName: 'orders', ShardCount: 2 }));
    const data = Buffer.from('an order');
    await createAwsKinesis(client).put('orders', [{ partitionKey: 'a customer', data }]);
    client.destroy();
    const worker = await run('worker.ts');
    const [line] = (await once(createInterface({ input: worker.stdout! }), 'line')) as [string];
    expect(line).to.match(/^shardId-00000000000[01] \d+ a customer an order$/);
    worker.kill('SIGTERM');
    expect((await once(worker, 'exit'))[0]).to.equal(0);
  });

  it('has a kit with which a handler is tested through the death of a worker', async () => {
    const test = await run('handler.test.ts');
    expect((await once(test, 'exit'))[0]).to.equal(0);
  });
});
