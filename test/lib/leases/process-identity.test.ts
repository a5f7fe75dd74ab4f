import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { processIdentity } from '../../../lib/leases/process-identity.ts';

describe('process identity', () => {
  const { processId, isGone } = processIdentity();
  const [machine = '', pid = '', start = ''] = processId.split('.');

  it('does not take this process, or one that runs, for gone', () => {
    expect(isGone(processId)).to.equal(false);
    expect(isGone(`${machine}.${process.ppid}.other`)).to.equal(false);
  });

  it('knows that a process of this machine has ended', () => {
    const ended = spawnSync(process.execPath, ['-e', 'process.stdout.write(String(process.pid))']);
    expect(isGone(`${machine}.${ended.stdout.toString()}.other`)).to.equal(true);
  });

  it('knows that an earlier process had the number of this one', () => {
    expect(isGone(`${machine}.${pid}.earlier`)).to.equal(true);
    expect(isGone(`${machine}.${pid}.${start}`)).to.equal(false);
  });

  it('says nothing about other machines, other containers and what it cannot read', () => {
    for (const other of [
      `elsewhere.${pid}.x`,
      `${machine}x.1.y`,
      '',
      'abc',
      `${machine}.0.x`,
      `${machine}.-1.x`,
    ]) {
      expect(isGone(other), other).to.equal(false);
    }
  });
});
