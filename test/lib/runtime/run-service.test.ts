import { expect } from 'chai';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const script = join(import.meta.dirname, '../../support/sample-service.ts');

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

function start(env: Record<string, string>): {
  child: ChildProcess;
  listening: Promise<number>;
  ended: Promise<Ended>;
} {
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    env: {
      ...process.env,
      AWS_REGION: 'eu-central-1',
      ENVIRONMENT: 'test',
      HOST: '127.0.0.1',
      PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const listening = new Promise<number>((resolve) => {
    child.on(
      'message',
      (message: { ports?: { http: number } }) => message.ports && resolve(message.ports.http),
    );
  });
  const ended = new Promise<Ended>((resolve) => child.on('exit', (code) => resolve({ code, stderr })));
  return { child, listening, ended };
}

describe('a service process', function () {
  this.timeout(20_000);

  it('serves health and metrics, drains on SIGTERM and exits 0', async () => {
    const { child, listening, ended } = start({ NAME: 'a' });
    const port = await listening;
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    expect([await get('/healthz'), await get('/readyz'), await get('/metrics')]).to.deep.equal([
      200, 200, 200,
    ]);
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).to.equal(0);
    expect(stderr).to.include('drained');
  });

  it('stops by itself when its supervisor is gone', async () => {
    const { child, listening, ended } = start({ NAME: 'a' });
    await listening;
    child.disconnect();
    expect((await ended).code).to.equal(0);
  });

  it('refuses to start with settings that cannot be used, and says which', async () => {
    const { code, stderr } = await start({ PORT: 'many' }).ended;
    expect(code).to.equal(2);
    expect(stderr).to.include('NAME is not set').and.to.include('PORT="many" is not a number');
  });

  it('ends with 1 when a promise fails that nobody waits for', async () => {
    const { code, stderr } = await start({ NAME: 'reject' }).ended;
    expect(code).to.equal(1);
    expect(stderr).to.include('unhandled rejection');
  });

  it('is cut short when the drain takes longer than it may', async () => {
    const { child, listening, ended } = start({ NAME: 'hang', STOP_TIMEOUT_MS: '1000' });
    await listening;
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).to.equal(1);
    expect(stderr).to.include('drain took too long');
  });
});
