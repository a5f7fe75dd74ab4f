// The dashboard reads the same API as everybody else. It polls, says how old its numbers are, and never shows a
// missing number as 0.

const askEveryMs = 2_000;
const staleAfterMs = 8_000;
const windowsShown = 24;
const alertsShown = 12;

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en-US');

/** Tiles in event order: which consumer's outcome each shows. A bad one must be 0. */
const tiles = [
  { label: 'routed', consumer: 'router', outcome: 'routed' },
  { label: 'duplicates', consumer: 'router', outcome: 'duplicate' },
  { label: 'stored', consumer: 'event-store', outcome: 'stored' },
  { label: 'archived', consumer: 'archiver', outcome: 'archived' },
  { label: 'windowed', consumer: 'aggregator', outcome: 'windowed' },
  { label: 'late', consumer: 'aggregator', outcome: 'late' },
  { label: 'alerts', consumer: 'alerter', outcome: 'alert' },
  { label: 'derived', consumer: 'detector', outcome: 'derived' },
  { label: 'unrouted', consumer: 'router', outcome: 'unrouted', bad: true },
  { label: 'dead letters', outcome: 'dead-lettered', bad: true },
];

let last = { at: 0, status: undefined };

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

async function ask(path) {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  const body = await response.json();
  if (!response.ok) throw new Error(body.detail ?? `${response.status}`);
  return body;
}

function outcomeCount(status, tile) {
  const consumers = status.consumers.filter((entry) => tile.consumer === undefined || entry.consumer === tile.consumer);
  return consumers.reduce((sum, entry) => sum + (entry.outcomes[tile.outcome]?.count ?? 0), 0);
}

function drawTiles(status, before) {
  const elapsed = before.status === undefined ? 0 : (Date.now() - before.at) / 1_000;
  byId('tiles').replaceChildren(
    ...tiles.map((tile) => {
      const count = outcomeCount(status, tile);
      const rate = elapsed > 0 ? Math.max(0, (count - outcomeCount(before.status, tile)) / elapsed) : 0;
      const bad = tile.bad && count > 0 ? ' bad' : '';
      return element(
        'div',
        { class: `tile${bad}` },
        element('span', {}, tile.label),
        element('b', {}, number.format(count)),
        element('small', {}, rate > 0 ? `${number.format(Math.round(rate))}/s` : ''),
      );
    }),
  );
  byId('empty').hidden = status.consumers.some((consumer) => Object.keys(consumer.outcomes).length > 0);
}

function shardClass(shard) {
  if (shard.owner === null && shard.checkpoint !== 'SHARD_END') return 'unowned';
  if (shard.caught_up === null) return 'unknown';
  return shard.caught_up ? 'ok' : 'busy';
}

function drawFlow(status) {
  byId('flow').replaceChildren(
    ...status.consumers.map((consumer) => {
      const behind = Math.max(0, ...consumer.shards.map((shard) => shard.behind_ms ?? 0));
      const outcomes = Object.entries(consumer.outcomes).map(([name, entry]) => `${name} ${number.format(entry.count)}`);
      const shards = consumer.shards.map((shard) => {
        const title = `${shard.stream} ${shard.shard}, owner ${shard.owner ?? 'nobody'}, checkpoint ${shard.checkpoint}`;
        return element('span', { class: `shard ${shardClass(shard)}`, title });
      });
      return element(
        'tr',
        {},
        element('td', {}, consumer.consumer),
        element('td', {}, ...shards),
        element('td', { class: 'number' }, `${(behind / 1_000).toFixed(1)} s`),
        element('td', {}, outcomes.join(', ') || '–'),
      );
    }),
  );
}

function drawWindows(page) {
  const shown = page.items.slice(0, windowsShown);
  const most = Math.max(1, ...shown.map((window) => window.count));
  const rows = shown.map((window) => {
    const bar = element('div', window.count > 0 ? { class: `bar ${window.final ? 'final' : 'open'}` } : {});
    bar.style.width = `${(window.count * 100) / most}%`;
    const late = window.late_count > 0 ? element('span', { class: 'late' }, ` +${number.format(window.late_count)} late`) : '';
    return element(
      'div',
      { class: 'window' },
      element('span', {}, window.start.slice(0, 16).replace('T', ' ')),
      element('span', { title: window.group }, window.group),
      bar,
      element('span', { class: 'number' }, number.format(window.count), late),
    );
  });
  byId('windows').replaceChildren(...(rows.length > 0 ? rows : ['no windows yet']));
}

function drawAlerts(page) {
  const rows = page.items.slice(0, alertsShown).map((alert) =>
    element(
      'li',
      {},
      element('span', { class: alert.severity }, alert.severity ?? ''),
      ` ${alert.time} ${alert.city ?? ''} ${alert.type} ${alert.id}`,
    ),
  );
  byId('alerts').replaceChildren(...(rows.length > 0 ? rows : [element('li', {}, 'none')]));
}

function drawState() {
  const state = byId('state');
  if (last.status === undefined) return;
  const age = Date.now() - last.at;
  const [kind, text] =
    age > staleAfterMs
      ? ['bad', `no answer for ${Math.round(age / 1_000)} s; these are old numbers`]
      : last.status.settled
        ? ['good', 'settled: every consumer has read everything']
        : ['busy', 'working'];
  state.className = kind;
  state.textContent = `${text} · ${last.status.as_of.replace('T', ' ').slice(0, 19)} UTC`;
}

async function refresh() {
  try {
    const [status, windows, alerts] = await Promise.all([
      ask('/v1/status'),
      ask(`/v1/windows?limit=${windowsShown}`),
      ask(`/v1/alerts?severity=critical&limit=${alertsShown}`),
    ]);
    drawTiles(status, last);
    drawFlow(status);
    drawWindows(windows);
    drawAlerts(alerts);
    last = { at: Date.now(), status };
  } catch (error) {
    if (last.status === undefined) byId('state').textContent = `no answer yet (${error.message})`;
  }
  drawState();
  setTimeout(refresh, askEveryMs);
}

async function find(id) {
  try {
    byId('found').textContent = JSON.stringify(await ask(`/v1/events/${encodeURIComponent(id)}`), null, 2);
  } catch (error) {
    byId('found').textContent = error.message;
  }
}

byId('find').addEventListener('submit', (submitted) => {
  submitted.preventDefault();
  void find(new FormData(submitted.target).get('id').trim());
});

void refresh();
