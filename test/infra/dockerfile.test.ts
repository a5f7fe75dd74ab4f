import { expect } from 'chai';
import { isSent, parseCopy, parseDockerfile, parseEnv, parseRun } from '../../scripts/image/dockerfile.ts';

describe('a Dockerfile that is done by hand', () => {
  it('has stages, without comments, with its broken lines joined', () => {
    const text = '# one\nARG A=1\nFROM x AS build\nRUN a \\\n    b\n# two\nFROM y\nCMD ["node"]\n';
    expect(parseDockerfile(text)).to.deep.equal([
      { name: 'build', instructions: [{ keyword: 'RUN', rest: 'a b' }] },
      { name: '', instructions: [{ keyword: 'CMD', rest: '["node"]' }] },
    ]);
  });

  it('copies from the folder or from a stage', () => {
    expect(parseCopy('a b ./')).to.deep.equal({ from: undefined, sources: ['a', 'b'], target: './' });
    expect(parseCopy('--from=build /app/dist dist')).to.deep.equal({
      from: 'build',
      sources: ['/app/dist'],
      target: 'dist',
    });
    expect(() => parseCopy('--chown=1 a b')).to.throw('only --from is known here');
  });

  it('runs a list as it is and a line through the shell', () => {
    expect(parseRun('["npx", "tsc"]')).to.deep.equal(['npx', 'tsc']);
    expect(parseRun('npm ci')).to.deep.equal(['sh', '-c', 'npm ci']);
  });

  it('sets variables', () => {
    expect(parseEnv('A=1 B=x=y')).to.deep.equal({ A: '1', B: 'x=y' });
  });

  it('is sent what .dockerignore lets through: the last pattern that fits decides', () => {
    const ignore = '# all\n*\n!lib\n!scripts\nscripts/*\n!scripts/one.ts\n';
    const sent = ['lib', 'lib/a/b.ts', 'scripts', 'scripts/one.ts'];
    const held = ['test', 'library', 'scripts/two.ts'];
    expect([...sent, ...held].filter((path) => isSent(ignore, path))).to.deep.equal(sent);
  });
});
