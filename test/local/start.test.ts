import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataDir } from '../../local/data-dir.ts';
import { checkOptions, defaultOptions } from '../../local/options.ts';
import { checkPorts, choosePorts } from '../../local/ports.ts';

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => String(error),
  );
}

describe('ports of the local platform', () => {
  it('follow the base', async () => {
    const ports = await choosePorts(4_500);
    expect([ports.query, ports.ingest, ports.glue]).to.deep.equal([4_500, 4_501, 4_506]);
  });

  it('are any free ones with base 0', async () => {
    const ports = Object.values(await choosePorts(0));
    expect(new Set(ports).size).to.equal(7);
    expect(ports).to.not.include(0);
  });

  it('that are taken are named, with what wanted them and the flag to change them', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    try {
      const message = await messageOf(checkPorts({ ...(await choosePorts(0)), kinesis: port }));
      expect(message).to.include(`${port} (kinesis)`).and.to.include('--port-base');
    } finally {
      holder.close();
    }
  });
});

describe('the data folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('belongs to one living platform', async () => {
    const first = await openDataDir(folder);
    expect(await messageOf(openDataDir(folder)))
      .to.include(`process ${process.pid}`)
      .and.to.include('--data-dir');
    await first.release();
    await (await openDataDir(folder)).release();
  });

  it('is taken over from a platform that died', async () => {
    // No process has this id: it is above the largest that Linux and macOS give out.
    writeFileSync(join(folder, 'weir.lock'), '99999999');
    const taken = await openDataDir(folder);
    expect(readFileSync(join(folder, 'weir.lock'), 'utf8')).to.equal(String(process.pid));
    await taken.release();
  });

  it('is removed at the end where it was temporary', async () => {
    const dataDir = await openDataDir(undefined);
    await dataDir.release();
    expect(() => readFileSync(join(dataDir.path, 'weir.lock'))).to.throw('ENOENT');
  });
});

describe('options of the local platform', () => {
  it('are checked all at once, each with its flag', () => {
    const options = {
      ...defaultOptions,
      inboundShards: 0,
      scale: { query: 2, routr: 1 },
      settings: { detector: { THRESHOLD: '1' } },
    };
    expect(() => checkOptions(options as typeof defaultOptions)).to.throw(
      /--inbound-shards 0[^]*--scale query: it has a fixed port[^]*--scale routr: there is no such service[^]*--set detector.THRESHOLD: detector has no such setting/,
    );
  });
});
