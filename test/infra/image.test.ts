import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNames } from '../../services/catalogue.ts';
import { importsOf } from './support/reach.ts';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};
const instructions = readFileSync('Dockerfile', 'utf8')
  .replaceAll(/\\\n\s*/g, ' ')
  .split('\n')
  .filter((line) => /^[A-Z]/.test(line));
const only = (name: string): readonly string[] => instructions.filter((line) => line.startsWith(`${name} `));

describe('the Dockerfile', () => {
  it('ends as a user that is not root', () => {
    expect(only('USER')).to.deep.equal(['USER 1000:1000']);
  });

  it('starts node itself, so that SIGTERM reaches it', () => {
    expect(only('CMD')).to.have.length(1);
    expect(only('CMD')[0]).to.match(/^CMD \["node", "dist\/services\/[a-z-]+\/main\.js"\]$/);
    expect(only('ENTRYPOINT')).to.deep.equal(['ENTRYPOINT []']);
  });

  it('asks for health without a shell', () => {
    expect(only('HEALTHCHECK')[0]).to.contain('CMD ["node", "dist/scripts/healthcheck.js"]');
  });

  it('names a version of every base image, never latest', () => {
    for (const image of only('ARG'))
      expect(image)
        .to.match(/:[a-z0-9][\w.-]*$/)
        .and.not.contain('latest');
  });

  it('installs what the lock file says, without scripts, and for running without development packages', () => {
    const installs = instructions.filter((line) => line.includes('npm '));
    expect(installs.every((line) => line.includes('npm ci') && line.includes('--ignore-scripts'))).to.equal(
      true,
    );
    expect(installs.filter((line) => line.includes('--omit=dev'))).to.have.length(1);
  });

  it('copies no whole folder of the build and fetches nothing by itself', () => {
    expect(only('ADD')).to.deep.equal([]);
    expect(only('COPY').filter((line) => / \. /.test(line))).to.deep.equal([]);
  });
});

describe('the compiled services', function () {
  this.timeout(60_000);
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-image-'));
    const built = spawnSync('npx', ['tsc', '-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')], {
      encoding: 'utf8',
    });
    expect(built.status, built.stdout).to.equal(0);
    symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
    symlinkSync(join(process.cwd(), 'package.json'), join(folder, 'package.json'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const service of serviceNames) {
    it(`${service}: starts under plain node and names the settings that it lacks`, () => {
      const run = spawnSync('node', [`dist/services/${service}/main.js`], {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: process.env.PATH },
      });
      expect(run.stderr).to.contain('AWS_REGION is not set');
      expect(run.status).to.equal(2);
    });

    it(`${service}: imports nothing but production packages`, () => {
      const packages = importsOf(`services/${service}/main.ts`);
      expect(packages.filter((name) => !(name in manifest.dependencies))).to.deep.equal([]);
    });
  }

  it('answer the health check with 0 when they are well, with 1 when they are not', async () => {
    const server = createServer((_request, response) => void response.end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const check = (): Promise<number | null> =>
      new Promise((resolve) => {
        const env = { PATH: process.env.PATH, PORT: String(port) };
        spawn('node', ['dist/scripts/healthcheck.js'], { cwd: folder, env, stdio: 'ignore' }).on(
          'close',
          resolve,
        );
      });
    expect(await check()).to.equal(0);
    await new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    });
    expect(await check()).to.equal(1);
  });
});
