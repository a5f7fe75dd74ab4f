import { type Widening, wideningsOf } from './access-widening.ts';
import { streamLoads, type StreamLoad } from './capacity.ts';
import { monthlyCost, total, type CostLine } from './cost.ts';
import { inventory } from './inventory.ts';
import type { PlanJson } from './plan-json.ts';
import { prices } from './prices.ts';
import { atRisk, changesOf, scalingOf, type ChangeLine, type Kind } from './review.ts';
import type { Traffic } from './traffic.ts';

export interface Summary {
  readonly markdown: string;
  /** Resources that hold data and would be destroyed or replaced. */
  readonly atRisk: readonly string[];
}

const kinds: readonly Kind[] = ['create', 'update', 'replace', 'delete', 'forget'];
/** Above this a stream has no room for a bad minute. */
const loadMax = 0.8;
/** A comment of GitHub holds 65,536 characters; lists stop here and say how many are left. */
const linesMax = 60;

/** What a reviewer wants to know of a plan, as Markdown: the dangerous first. */
export function summarise(plan: PlanJson, traffic: Traffic, services: readonly string[]): Summary {
  const changes = changesOf(plan, services);
  const risks = atRisk(changes);
  const sections = [
    ['## Plan', '', countsLine(changes)],
    riskSection(risks),
    groupSection(changes),
    section('Rights that are new', rightLines(wideningsOf(plan))),
    section(
      'Scaling',
      scalingOf(plan).map(({ what, from, to }) => `- ${what}: ${from} → ${to}`),
    ),
    capacitySection(streamLoads(inventory(plan, 'after'), traffic), traffic),
    costSection(plan, traffic),
  ];
  return {
    markdown: `${sections
      .filter((lines) => lines.length > 0)
      .map((lines) => lines.join('\n'))
      .join('\n\n')}\n`,
    atRisk: risks.map(({ address }) => address),
  };
}

function countsLine(changes: readonly ChangeLine[]): string {
  if (changes.length === 0) return 'Nothing changes.';
  return kinds
    .map((kind) => `${changes.filter((line) => line.kind === kind).length} to ${kind}`)
    .filter((text) => !text.startsWith('0 '))
    .join(', ');
}

function riskSection(risks: readonly ChangeLine[]): readonly string[] {
  if (risks.length === 0) return ['No resource that holds data is destroyed.'];
  return [
    '### ⚠ Data at risk',
    '',
    ...risks.map(({ address, kind, attributes }) => {
      const why = attributes.length > 0 ? ` because of ${attributes.join(', ')}` : '';
      return `- \`${address}\` would be lost (${kind}${why})`;
    }),
  ];
}

function groupSection(changes: readonly ChangeLine[]): readonly string[] {
  const groups = [...new Set(changes.map(({ group }) => group))].toSorted();
  return section(
    'Changes by part',
    groups.flatMap((group) => {
      const mine = changes.filter((line) => line.group === group);
      const details = mine
        .filter(({ kind }) => kind !== 'create')
        .map(
          ({ address, kind, attributes }) =>
            `  - ${kind} \`${address}\`: ${attributes.join(', ') || 'whole'}`,
        );
      return [`- **${group}**: ${countsLine(mine)}`, ...details];
    }),
  );
}

/** A right is shown whole; of a new role, what it may do is counted: its policy stands in the plan, which a comment cannot hold. */
function rightLines(widenings: readonly Widening[]): readonly string[] {
  const added = widenings.filter(({ right, ofNewRole }) => !ofNewRole || isOnEverything(right));
  const created = widenings.filter((widening) => !added.includes(widening));
  return [
    ...added.map(({ role, right }) => `- \`${role}\`: ${right}`),
    ...[...new Set(created.map(({ role }) => role))].map((role) => {
      const services = created.filter((each) => each.role === role).map(({ right }) => serviceOf(right));
      const counts = [...new Set(services)].map(
        (name) => `${name} ${services.filter((each) => each === name).length}`,
      );
      return `- \`${role}\` of a new role: ${counts.join(', ')}`;
    }),
  ];
}

/** A star must be seen, in a new policy too. */
function isOnEverything(right: string): boolean {
  return / on \*( if |$)/.test(right) || /(^| )([a-z0-9-]+:)?\* on /.test(right);
}

/** `… may kms:Decrypt on …` → `kms` */
function serviceOf(right: string): string {
  return /(?:^|may )([a-z0-9-]+):/.exec(right)?.[1] ?? 'any';
}

function section(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const left = lines.length - linesMax;
  const rest = left > 0 ? [`- … and ${left} more, in the full plan`] : [];
  return [`### ${title}`, '', ...lines.slice(0, linesMax), ...rest];
}

function capacitySection(loads: readonly StreamLoad[], traffic: Traffic): readonly string[] {
  if (loads.length === 0) return [];
  return [
    `### Capacity at ${traffic.peakPerSecond} events/s of ${traffic.eventBytes} bytes`,
    '',
    '| stream | shards | records/s | full |',
    '|---|--:|--:|--:|',
    ...loads.map(({ stream, shards, recordsPerSecond, load }) => {
      const full = load === undefined ? (shards === undefined ? 'on demand' : 'unknown') : percent(load);
      return `| ${stream} | ${shards ?? '–'} | ${recordsPerSecond ?? 'unknown'} | ${full} |`;
    }),
  ];
}

function percent(load: number): string {
  return `${Math.round(load * 100)} %${load > loadMax ? ' ⚠ reshard first' : ''}`;
}

function costSection(plan: PlanJson, traffic: Traffic): readonly string[] {
  const before = monthlyCost(inventory(plan, 'before'), traffic);
  const after = monthlyCost(inventory(plan, 'after'), traffic);
  const [from, to] = [total(before), total(after)];
  return [
    '### Cost per month',
    '',
    `**${usd(from.usd)} → ${usd(to.usd)}** (${signed(to.usd - from.usd)}) at ${traffic.averagePerSecond} events/s on average;`,
    `list prices of ${prices.region}, ${prices.asOf}. Not counted, as unknown: ${list(to.unknown)}.`,
    '',
    '| what | before | after |',
    '|---|--:|--:|',
    ...[...new Set([...before, ...after].map(({ what }) => heading(what)))].map((what) => {
      return `| ${what} | ${sumOf(before, what)} | ${sumOf(after, what)} |`;
    }),
  ];
}

/** `stream city: shards` → `stream city` */
function heading(what: string): string {
  return what.split(':')[0] ?? what;
}

function sumOf(lines: readonly CostLine[], what: string): string {
  const mine = lines.filter((line) => heading(line.what) === what);
  if (mine.length === 0) return '–';
  const { usd: known, unknown } = total(mine);
  if (unknown.length === mine.length) return 'unknown';
  return unknown.length > 0 ? `${usd(known)} + unknown` : usd(known);
}

function usd(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

function signed(amount: number): string {
  return `${amount < 0 ? '−' : '+'}$${Math.abs(amount).toFixed(2)}`;
}

function list(unknown: readonly string[]): string {
  return unknown.length === 0 ? 'nothing' : [...new Set(unknown)].join(', ');
}
