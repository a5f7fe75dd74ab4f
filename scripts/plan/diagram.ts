import type { StackJson } from '../offline/stack.ts';

/** One arrow of the picture: who touches what, and in which direction data goes. */
export interface Flow {
  readonly service: string;
  readonly thing: string;
  readonly kind: Kind;
  readonly writes: boolean;
  readonly reads: boolean;
}

export type Kind = 'stream' | 'table' | 'bucket' | 'queue';

const writing = /:(Put|BatchWrite|Update|Delete|SendMessage)/;
/** Asking what a stream is like is not reading it. */
const reading = /:(GetRecords|GetItem|BatchGet|Query|Scan|GetObject)/;

const things: readonly { readonly kind: Kind; readonly pattern: RegExp }[] = [
  { kind: 'stream', pattern: /:stream\/\$\{local\.prefix\}-([a-z0-9-]+)/g },
  { kind: 'table', pattern: /:table\/\$\{local\.prefix\}-([a-z0-9-]+)"/g },
  { kind: 'bucket', pattern: /:s3:::\$\{local\.prefix\}-\$\{[^}]+\}-([a-z]+)/g },
  {
    kind: 'queue',
    pattern: /:\$\{data\.aws_caller_identity\.caller\.account_id\}:\$\{local\.prefix\}-([a-z-]+)"/g,
  },
];

/** What the policy of each service lets it read and write, read from the synthesised stack itself. */
export function flowsOf(stack: StackJson): readonly Flow[] {
  const policies = Object.entries(stack.resource.aws_iam_role_policy ?? {});
  return policies
    .filter(([name]) => name.endsWith('_work') && name !== 'raw_archive_work')
    .flatMap(([name, { policy }]) =>
      flowsIn(name.slice(0, -'_work'.length).replaceAll('_', '-'), String(policy)),
    );
}

function flowsIn(service: string, policy: string): readonly Flow[] {
  const flows = new Map<string, Flow>();
  const statements = policy.matchAll(/"Action" = \[(.*?)\], "Resource" = (\[.*?\]|local\.\w+)\}/g);
  for (const [, actions = '', resources = ''] of statements) {
    for (const { kind, thing } of thingsIn(resources)) {
      const before = flows.get(`${kind} ${thing}`);
      flows.set(`${kind} ${thing}`, {
        service,
        thing,
        kind,
        writes: before?.writes === true || writing.test(actions),
        reads: before?.reads === true || reading.test(actions),
      });
    }
  }
  return [...flows.values()];
}

function thingsIn(resources: string): readonly { readonly kind: Kind; readonly thing: string }[] {
  if (resources === 'local.outbound_arns') return [{ kind: 'stream', thing: 'outbound' }];
  return things.flatMap(({ kind, pattern }) =>
    [...resources.matchAll(pattern)].map(([, thing = '']) => ({ kind, thing })),
  );
}

const shapes: Readonly<Record<Kind, readonly [string, string]>> = {
  stream: ['[/', '/]'],
  table: ['[(', ')]'],
  bucket: ['[(', ')]'],
  queue: ['>', ']'],
};

/** A Markdown page with the picture. Lease tables are left out: each worker has its own. */
export function diagramPage(stack: StackJson, services: readonly string[]): string {
  const flows = flowsOf(stack).filter(({ thing }) => !thing.endsWith('-leases'));
  const nodes = new Map(flows.map(({ kind, thing }) => [id(kind, thing), { kind, thing }]));
  const lines = [
    '  clients([clients]) --> edge{{load balancer, firewall}}',
    '  edge --> ingest',
    '  edge --> query',
    ...services.map((service) => `  ${service}["${service}"]`),
    ...[...nodes].map(([node, { kind, thing }]) => `  ${node}${shapes[kind][0]}"${thing}"${shapes[kind][1]}`),
    ...flows.flatMap(arrows),
  ];
  return `# The deployment

Made from the synthesised stack by \`npm run infra:diagram\`: an arrow is a right in the policy of a service, from what it
reads and to what it writes. Do not edit; \`test/infra/documents.test.ts\` compares.

\`\`\`mermaid
flowchart LR
${lines.join('\n')}
\`\`\`
`;
}

function arrows({ service, thing, kind, reads, writes }: Flow): readonly string[] {
  const node = id(kind, thing);
  if (reads && writes) return [`  ${service} <--> ${node}`];
  return [...(reads ? [`  ${node} --> ${service}`] : []), ...(writes ? [`  ${service} --> ${node}`] : [])];
}

function id(kind: Kind, thing: string): string {
  return `${kind}-${thing}`;
}
