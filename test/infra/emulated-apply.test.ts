import { expect } from 'chai';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { emulatorOverride, forEmulator, notEmulated } from '../../scripts/offline/emulator.ts';
import { withWorkspace } from '../../scripts/offline/workspace.ts';
import { mirrorOrSkip } from './support/mirror.ts';
import { platformStack } from './support/stack.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Takes over a minute, so only where it is asked for: WEIR_EMULATED_APPLY=1. */
function wantedOrSkip(test: Mocha.Context): void {
  const missing =
    process.env.WEIR_EMULATED_APPLY !== '1'
      ? 'set WEIR_EMULATED_APPLY=1 for a real apply against moto'
      : spawnSync('python3', ['-c', 'import moto, flask']).status !== 0 && 'python3 has no moto with Flask';
  if (!missing) return;
  process.stderr.write(`    skipped: ${missing}\n`);
  test.skip();
}

describe('a real apply against moto', function () {
  this.timeout(600_000);
  let moto: ChildProcess | undefined;
  after(() => moto?.kill());

  it('makes everything that the emulator can make, in an order that works', async function () {
    wantedOrSkip(this);
    const pluginDir = mirrorOrSkip(this);
    const port = await freePort();
    moto = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await listening(moto);
    const endpoint = `http://127.0.0.1:${port}`;
    const zone = await createZone(endpoint);
    const run = await withWorkspace(forEmulator(platformStack()), pluginDir, async (workspace) => {
      await writeFile(
        join(workspace.folder, 'z_override.tf.json'),
        JSON.stringify(emulatorOverride(endpoint)),
      );
      return workspace.run([
        'apply',
        '-auto-approve',
        '-input=false',
        `-var-file=${resolve('envs/dev.tfvars')}`,
        `-var=domain={zone_id="${zone}",name="weir.example.com"}`,
      ]);
    });
    process.stderr.write(`    not emulated: ${Object.keys(notEmulated).join(', ')}\n`);
    expect(run.stderr).to.equal('');
    expect(run.stdout).to.match(/Apply complete! Resources: \d{3} added, 0 changed, 0 destroyed/);
  });
});

/** A zone is there before the platform is. Answers its id. */
async function createZone(endpoint: string): Promise<string> {
  const answer = await fetch(`${endpoint}/2013-04-01/hostedzone`, {
    method: 'POST',
    headers: { host: 'route53.amazonaws.com', authorization },
    body: `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/">
<Name>weir.example.com</Name><CallerReference>1</CallerReference></CreateHostedZoneRequest>`,
  });
  const id = /hostedzone\/([A-Z0-9]+)/.exec(await answer.text())?.[1];
  if (id === undefined) throw new Error(`moto made no zone: ${answer.status}`);
  return id;
}

/** The emulator tells services apart by the signature's scope, and does not check the signature. */
const authorization =
  'AWS4-HMAC-SHA256 Credential=offline/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0';

/** Resolves when the emulator says that it listens; rejects when it ends before. */
function listening(emulator: ChildProcess): Promise<void> {
  return new Promise((done, fail) => {
    emulator.stderr?.on('data', (text: Buffer) => {
      if (text.toString().includes('Running on')) done();
    });
    emulator.on('exit', (code) => fail(new Error(`moto ended with ${code}`)));
  });
}
