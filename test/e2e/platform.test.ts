import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defaultOptions } from '../../local/options.ts';
import { type Platform, startPlatform } from '../../local/platform.ts';
import { observe } from './observe.ts';

const projectDir = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** 300 events of the three families, in event order, one of them twice. */
function lines(): readonly string[] {
  const events = Array.from({ length: 300 }, (_, n) => {
    const time = new Date(Date.parse('2026-11-20T08:00:00Z') + n * 1_000).toISOString();
    if (n % 3 === 0) {
      const severity = n % 30 === 0 ? 'critical' : 'low';
      return { event_id: `city-${n}`, timestamp: time, city: 'NYC', event_type: 'weather', severity };
    }
    if (n % 3 === 1) {
      return {
        event_uuid: `named-${n}`,
        event_name: 'account:created',
        created_at: Date.parse(time) / 1_000,
      };
    }
    const data = { amount: n * 10 };
    return { eventId: `user-${n}`, eventType: 'PURCHASE', userId: `u${n % 7}`, timestamp: time, data };
  });
  return [...events, events[0]].map((event) => JSON.stringify(event));
}

describe('the whole platform', function () {
  this.timeout(90_000);
  let folder: string;
  let platform: Platform;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weir-test-'));
    const options = { ...defaultOptions, portBase: 0 };
    platform = await startPlatform(options, { projectDir, onChange: () => {}, onStep: () => {} });
  });
  after(async () => {
    await platform.stop();
    rmSync(folder, { recursive: true });
  });

  const weir = (...args: readonly string[]) =>
    run(join(projectDir, 'bin/weir'), [...args], {
      env: { ...process.env, WEIR_QUERY_URL: platform.queryUrl, WEIR_INGEST_URL: platform.ingestUrl },
    });

  it('keeps, archives, counts, alerts and derives every event once, through the death of its workers', async () => {
    const file = join(folder, 'events.ndjson');
    writeFileSync(file, `${lines().join('\n')}\n`);
    await weir('send', file, '--repeat-batches');
    for (const name of ['router', 'event-store', 'archiver', 'aggregator']) platform.signal(name, 'SIGKILL');
    await weir('status', '--wait', '60');
    const seen = await observe(platform);
    expect(seen.stored).to.deep.include({ records: 300, distinctIds: 300 });
    expect(seen.archived).to.deep.include({ records: 300, distinctIds: 300 });
    expect(seen.duplicates).to.equal(302);
    expect([seen.windows.records, seen.windows.late]).to.deep.equal([300, 0]);
    expect(seen.alerts).to.equal(10);
    // PURCHASE at n = 2, 5, … 299 with amount 10 n; the threshold is 1,000.
    expect(seen.highValueAmounts).to.have.length(67);
    expect(seen.deadLetters).to.equal(0);
  });

  it('names a broken line and a line that is no event, and goes on with the rest', async () => {
    const file = join(folder, 'broken.ndjson');
    const good = JSON.stringify({
      event_id: 'x',
      timestamp: '2026-11-20T09:00:00Z',
      city: 'LA',
      event_type: 'traffic',
      severity: 'low',
    });
    writeFileSync(file, `{"event_id": \n{"hello": 1}\n${good}\n`);
    const failed = (await weir('send', file, '--json').catch((error: unknown) => error)) as {
      code: number;
      stdout: string;
    };
    const result = JSON.parse(failed.stdout) as {
      accepted: number;
      problems: { line: number; problem: string }[];
    };
    expect([failed.code, result.accepted]).to.deep.equal([1, 1]);
    expect(result.problems.map((problem) => problem.line)).to.deep.equal([1, 2]);
    expect(result.problems[1]?.problem).to.include('event_id');
  });

  it('shows an event by its id, and says 3 where there is none', async () => {
    await weir('status', '--wait', '60');
    const { stdout } = await weir('events', 'get', 'user-5', '--json');
    expect(JSON.parse(stdout)).to.include({ id: 'user-5', type: 'PURCHASE', event_type: 'PURCHASE' });
    const missing = (await weir('events', 'get', 'nobody').catch((error: unknown) => error)) as {
      code: number;
    };
    expect(missing.code).to.equal(3);
  });

  it('lists events by city within a time, page after page', async () => {
    const { stdout } = await weir(
      'events',
      'list',
      '--city',
      'NYC',
      '--from',
      '2026-11-20T08:01:00Z',
      '--num',
      '0',
      '--json',
    );
    const { items, complete } = JSON.parse(stdout) as { items: { time: string }[]; complete: boolean };
    expect([items.length, complete]).to.deep.equal([80, true]);
    expect(items[0]?.time).to.equal('2026-11-20T08:04:57.000Z');
  });

  it('proves its archive, and finds the object in which one bit has changed', async () => {
    const verify = () => weir('archive', 'verify', '--endpoint', platform.endpoints.s3, '--json');
    const proven = JSON.parse((await verify()).stdout) as { ok: boolean; events: number; objects: number };
    expect([proven.ok, proven.events]).to.deep.equal([true, 301 + 67]);
    const archive = join(platform.dataDir, 's3', platform.names.lakeBucket, 'archive');
    const [object = ''] = readdirSync(archive, { recursive: true, encoding: 'utf8' }).filter((path) => {
      return path.endsWith('.gz');
    });
    const bytes = readFileSync(join(archive, object));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(join(archive, object), bytes);
    const failed = (await verify().catch((error: unknown) => error)) as { code: number; stdout: string };
    expect(failed.code).to.equal(6);
    const { problems } = JSON.parse(failed.stdout) as { problems: { key: string }[] };
    expect(problems.map(({ key }) => key)).to.deep.equal([`archive/${object}`]);
  });

  it('refuses a second platform on its ports in one sentence', async () => {
    const base = Number(new URL(platform.queryUrl).port);
    const failed = (await weir('local', '--port-base', String(base)).catch((error: unknown) => error)) as {
      code: number;
      stderr: string;
    };
    expect(failed.code).to.equal(5);
    expect(failed.stderr).to.include(String(base)).and.to.include('--port-base');
  });

  it('leaves neither processes nor its temporary folder behind', async () => {
    const pids = platform.views().map((view) => view.pid ?? 0);
    await platform.stop();
    for (const pid of pids) expect(() => process.kill(pid, 0)).to.throw('ESRCH');
    expect(existsSync(platform.dataDir)).to.equal(false);
  });
});
