import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { type HttpServer, startHttp } from '../../../lib/runtime/http.ts';
import { silentLog } from '../../../lib/runtime/log.ts';
import { type QueryPorts, queryRoutes } from '../../../services/query/handler.ts';

const folder = join(import.meta.dirname, '../../../services/query/dashboard');
const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const noDigest = '0'.repeat(32);

const empty = async () => ({ items: [], next_cursor: null });
const page = (file: string, type: string) => ({ type, body: readFileSync(join(folder, file)) });

function ports(): QueryPorts {
  return {
    events: { put: async () => {}, get: async () => undefined, list: empty },
    alerts: { put: async () => {}, list: empty },
    windows: {
      list: async () => ({
        items: [
          {
            start: '2026-11-20T08:00:00Z',
            group: 'weather',
            count: 12,
            late_count: 3,
            final: true,
            revision: 1,
          },
          {
            start: '2026-11-20T07:55:00Z',
            group: 'traffic',
            count: 5,
            late_count: 0,
            final: false,
            revision: 0,
          },
        ],
        next_cursor: null,
      }),
    } as unknown as QueryPorts['windows'],
    status: async () => ({
      as_of: '2026-11-20T08:10:00.000Z',
      settled: false,
      consumers: [
        {
          consumer: 'router',
          streams: ['inbound'],
          outcomes: {
            routed: { count: 1_234, digest: noDigest },
            'dead-lettered': { count: 2, digest: noDigest },
          },
          shards: [
            {
              stream: 'inbound',
              shard: 'a',
              owner: 'router',
              checkpoint: '1',
              caught_up: true,
              behind_ms: 0,
            },
            {
              stream: 'inbound',
              shard: 'b',
              owner: null,
              checkpoint: '1',
              caught_up: false,
              behind_ms: 5_000,
            },
          ],
        },
      ],
    }),
    pages: new Map([
      ['/', page('index.html', 'text/html; charset=utf-8')],
      ['/dashboard.css', page('dashboard.css', 'text/css; charset=utf-8')],
      ['/dashboard.js', page('dashboard.js', 'text/javascript; charset=utf-8')],
    ]),
  };
}

describe('the dashboard', function () {
  this.timeout(60_000);
  let http: HttpServer;
  let browser: Browser;

  before(async function () {
    if (browserPath === undefined) {
      process.stderr.write(
        '    skipped: no Chromium on this machine, so nobody has looked at the dashboard\n',
      );
      return this.skip();
    }
    http = await startHttp({ host: '127.0.0.1', port: 0, routes: queryRoutes(ports()), log: silentLog });
    const args = [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
    ];
    browser = await chromium.launch({ executablePath: browserPath, args });
  });
  after(async () => {
    await browser?.close();
    await http?.close();
  });

  const open = async (width: number) => {
    const tab = await browser.newPage({ viewport: { width, height: 800 } });
    const errors: string[] = [];
    tab.on('pageerror', (error) => errors.push(String(error)));
    tab.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await tab.goto(`http://127.0.0.1:${http.port}/`);
    await tab.waitForSelector('.tile');
    return { tab, errors };
  };

  it('shows the accounts, the shards and the windows, without an error', async () => {
    const { tab, errors } = await open(1_280);
    expect(await tab.locator('.tile', { hasText: 'routed' }).first().innerText()).to.include('1,234');
    expect(await tab.locator('.tile.bad').innerText())
      .to.include('dead letters')
      .and.to.include('2');
    expect(await tab.locator('#flow .shard').count()).to.equal(2);
    expect(await tab.locator('#flow .shard.unowned').count()).to.equal(1);
    expect(await tab.locator('#windows .bar.final').count()).to.equal(1);
    expect(await tab.locator('#windows').innerText()).to.include('+3 late');
    expect(await tab.locator('#state').innerText()).to.include('working');
    expect(errors).to.deep.equal([]);
  });

  it('says that an event is not there', async () => {
    const { tab } = await open(1_280);
    await tab.fill('input[name=id]', 'nobody');
    await tab.click('button');
    await tab.waitForFunction('document.getElementById("found").textContent !== ""');
    expect(await tab.locator('#found').innerText()).to.include('There is no event "nobody"');
  });

  it('fits a phone of 360 pixels', async () => {
    const { tab } = await open(360);
    expect(await tab.evaluate('document.documentElement.scrollWidth')).to.equal(360);
  });
});
