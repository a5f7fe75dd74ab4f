import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessGroup, type ProcessView } from '../../local/process-group.ts';

const root = join(import.meta.dirname, '../..');

describe('the supervisor', function () {
  this.timeout(20_000);
  let folder: string;
  let group: ProcessGroup;
  let changes: ProcessView[];
  let fatal: Error[];
  let onChange: (view: ProcessView) => void;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-test-'));
    changes = [];
    fatal = [];
    onChange = () => {};
    group = new ProcessGroup({
      projectDir: root,
      logDir: folder,
      onChange: (view) => {
        changes.push(view);
        onChange(view);
      },
      onFatal: (error) => fatal.push(error),
    });
  });
  afterEach(async () => {
    await group.stop();
    rmSync(folder, { recursive: true });
  });

  const script = (text: string): string => {
    const path = join(folder, 'script.mjs');
    writeFileSync(path, text);
    return path;
  };
  const start = (text: string, restart = true) =>
    group.start({ name: 'a', script: script(text), args: [], env: process.env, restart });
  const serving =
    "process.send({ ports: { http: 1 } }); process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1e6);";

  it('starts a killed process again, and counts it', async () => {
    await start(serving);
    const back = new Promise<void>((resolve) => {
      onChange = (view) => view.state.type === 'up' && resolve();
    });
    expect(group.signal('a', 'SIGKILL')).to.equal(true);
    await back;
    expect(group.views()[0]?.restarts).to.equal(1);
    expect(changes.map((view) => view.state.type)).to.deep.equal(['up', 'waiting', 'starting', 'up']);
  });

  it('does not start again what cannot use its settings, and passes its last words on', async () => {
    const failed = await start("process.stderr.write('PORT is wrong'); process.exit(2);").then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(String(failed)).to.include('PORT is wrong');
    expect(group.views()[0]?.state.type).to.equal('failed');
  });

  it('reports the death of what must not die', async () => {
    await start(serving, false);
    const dead = new Promise<void>((resolve) => {
      onChange = (view) => view.state.type === 'failed' && resolve();
    });
    group.signal('a', 'SIGKILL');
    await dead;
    expect(fatal.map(String).join()).to.include('a killed by SIGKILL');
  });

  it('leaves no process behind when it stops', async () => {
    await start(serving);
    const pid = group.views()[0]?.pid ?? 0;
    await group.stop();
    expect(() => process.kill(pid, 0)).to.throw('ESRCH');
  });
});
