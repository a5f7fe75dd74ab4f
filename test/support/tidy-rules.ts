/** The rules of the house that a machine can see. Each is a function of one file; test/tidy.test.ts runs them. */
export interface SourceFile {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

export type Rule = (file: SourceFile) => readonly Violation[];

export const maxFileLines = 400;

/** Who may import whom: the first entry that fits a path says what it may reach (besides its own folder). */
const arrows: readonly { readonly from: RegExp; readonly to: readonly RegExp[] }[] = [
  { from: /^main\.ts$/, to: [/^modules\//, /^lib\/runtime\/errors\.ts$/] },
  {
    from: /^modules\//,
    to: [
      /^modules\//,
      /^services\/[^/]+\/config\.ts$/,
      /^services\/catalogue\.ts$/,
      /^lib\/stores\/tables\.ts$/,
      /^lib\/runtime\//,
      /^lib\/event\/(routes|windows-rules|avro-)/,
    ],
  },
  {
    from: /^services\/catalogue\.ts$/,
    to: [/^services\/[^/]+\/config\.ts$/, /^lib\/runtime\//, /^lib\/stores\/tables\.ts$/],
  },
  { from: /^services\//, to: [/^lib\//] },
  { from: /^lib\/runtime\//, to: [] },
  { from: /^lib\/event\//, to: [/^lib\/runtime\//] },
  { from: /^lib\/streams\//, to: [/^lib\/runtime\//] },
  { from: /^lib\/leases\//, to: [/^lib\/runtime\//, /^lib\/streams\//] },
  { from: /^lib\/consumer\//, to: [/^lib\/(runtime|event|streams|leases)\//] },
  {
    from: /^lib\/stores\//,
    to: [/^lib\/(runtime|event|streams)\//, /^lib\/consumer\/(dead-letters|events)\.ts$/],
  },
  { from: /^cli\//, to: [/^lib\//, /^local\//] },
  { from: /^local\//, to: [/^lib\//, /^services\/(catalogue|[^/]+\/config)\.ts$/] },
  { from: /^bench\//, to: [/^(lib|local)\//, /^services\//, /^test\/interop\/java\.ts$/] },
  { from: /^scripts\/image\//, to: [/^(lib|local|modules|scripts)\//, /^services\/catalogue\.ts$/] },
  { from: /^scripts\//, to: [/^(lib|modules)\//, /^services\/(catalogue|[^/]+\/config)\.ts$/] },
  { from: /^test\//, to: [/./] },
];

/** Packages that only some places may import. */
const packages: readonly { readonly name: RegExp; readonly only: RegExp }[] = [
  { name: /^(cdktf|constructs|@cdktf\/)/, only: /^(main\.ts$|modules\/|test\/infra\/)/ },
  { name: /^(dynalite|fauxqs|kinesis-local|@smithy\/core)/, only: /^(local|test|bench)\// },
  { name: /^(mocha|chai|fast-check|playwright-core)$/, only: /^test\// },
  { name: /^winston$/, only: /^lib\/runtime\// },
];

const importPattern =
  /^\s*(?:import|export)\b[^'"]*?\bfrom\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

interface Import {
  readonly target: string;
  readonly line: number;
}

function importsOf(file: SourceFile): readonly Import[] {
  return [...file.text.matchAll(importPattern)].map((found) => ({
    target: found[1] ?? found[2] ?? found[3] ?? '',
    line: lineAt(file.text, found.index),
  }));
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** `../../lib/x.ts` seen from `services/a/b.ts` → `lib/x.ts`. */
function resolved(from: string, target: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function unitOf(path: string): string {
  const depth = /^(lib|services|modules)\//.test(path) ? 2 : 1;
  return path.split('/').slice(0, depth).join('/');
}

export const importArrows: Rule = (file) => {
  const allowed = arrows.find((arrow) => arrow.from.test(file.path));
  return importsOf(file)
    .filter(({ target }) => target.startsWith('.'))
    .map(({ target, line }) => ({ to: resolved(file.path, target), line }))
    .filter(({ to }) => unitOf(to) !== unitOf(file.path) && !allowed?.to.some((pattern) => pattern.test(to)))
    .map(({ to, line }) => ({ rule: 'import-arrows', path: file.path, line, what: `may not import ${to}` }));
};

export const packageArrows: Rule = (file) =>
  importsOf(file).flatMap(({ target, line }) =>
    packages
      .filter((entry) => entry.name.test(target) && !entry.only.test(file.path))
      .map(() => ({ rule: 'package-arrows', path: file.path, line, what: `may not import ${target}` })),
  );

export const deepProviderImports: Rule = (file) =>
  importsOf(file)
    .filter(
      ({ target }) => target.startsWith('@cdktf/provider-aws') && !/\/lib\/[^/]+\/index\.js$/.test(target),
    )
    .map(({ line }) => ({
      rule: 'deep-provider-imports',
      path: file.path,
      line,
      what: 'import @cdktf/provider-aws/lib/NAME/index.js: the root costs four times the time and memory',
    }));

export const fileSize: Rule = (file) => {
  const lines = file.text.split('\n').length - 1;
  if (lines <= maxFileLines) return [];
  return [
    { rule: 'file-size', path: file.path, line: lines, what: `${lines} lines, at most ${maxFileLines}` },
  ];
};

export const fileName: Rule = (file) => {
  const name = file.path.split('/').at(-1) ?? '';
  const at = { path: file.path, line: 1 };
  if (name === 'index.ts' && !file.path.startsWith('modules/')) {
    return [
      { rule: 'file-name', ...at, what: 'index.ts is for constructs only: name the file for what it holds' },
    ];
  }
  if (/^[a-z0-9]+([-.][a-z0-9]+)*\.(ts|mjs)$/.test(name)) return [];
  return [{ rule: 'file-name', ...at, what: `${name} is not kebab-case` }];
};

interface Ban {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly what: string;
  readonly inside: RegExp;
  readonly except?: RegExp;
}

const product = /^(main\.ts|(modules|services|lib|cli|local)\/)/;

const bans: readonly Ban[] = [
  {
    rule: 'no-console',
    pattern: /\bconsole\.\w+\(/,
    what: 'console: use the log, or write to stdout',
    inside: product,
  },
  {
    rule: 'clock-as-a-value',
    pattern: /\b(Date\.now\(|new Date\(\)|performance\.now\(|setTimeout\(|setInterval\()/,
    what: 'the real clock: take a Clock, or the time as a number',
    inside: /^(lib|services)\//,
    except: /^lib\/runtime\//,
  },
  {
    rule: 'random-as-a-value',
    pattern: /\bMath\.random\(/,
    what: 'Math.random: take a random source as a parameter',
    inside: /^(lib|services)\//,
    except: /^lib\/runtime\//,
  },
  {
    rule: 'environment-at-the-edge',
    pattern: /\bprocess\.env\b/,
    what: 'process.env: declare a setting in config.ts',
    inside: /^(lib|services|modules)\//,
    except: /^lib\/runtime\//,
  },
  {
    rule: 'no-leftovers',
    pattern: /\b(TODO|FIXME|XXX)\b/,
    what: 'unfinished work does not land',
    inside: /./,
  },
  {
    rule: 'no-swallowed-errors',
    pattern: /catch(\s*\([^)]*\))?\s*\{\s*\}|\.catch\(\(\)\s*=>\s*(\{\s*\}|undefined|null)\)/,
    what: 'a swallowed error',
    inside: /./,
  },
  {
    rule: 'no-focused-tests',
    pattern: /\b(it|describe)\.(only|skip)\(/,
    what: 'a focused or skipped test',
    inside: /^test\//,
  },
  {
    rule: 'no-sleeping-tests',
    pattern: /\bMath\.random\(/,
    what: 'unseeded chance in a test',
    inside: /^test\//,
    except: /^test\/e2e\//,
  },
  {
    rule: 'names',
    pattern:
      /\b(class|interface|type|function|const)\s+(\w*(Manager|Helper|Util|Utils)|Base[A-Z]\w*|I[A-Z][a-z]\w*)\b/,
    what: 'a name that says nothing (Manager, Helper, Util, Base…, I…)',
    inside: /./,
    except: /^test\/tidy/,
  },
  {
    rule: 'no-enum-or-namespace',
    pattern: /^\s*(export\s+)?(const\s+)?(enum|namespace)\s+\w+/,
    what: 'enum and namespace: use a union',
    inside: /./,
  },
];

export const bannedText: Rule = (file) =>
  bans
    .filter((ban) => ban.inside.test(file.path) && !ban.except?.test(file.path))
    .flatMap((ban) =>
      file.text.split('\n').flatMap((text, index) => {
        const bare = ban.rule === 'no-leftovers' ? text : text.replace(/^\s*(\*|\/\/|\/\*).*$/, '');
        return ban.pattern.test(bare)
          ? [{ rule: ban.rule, path: file.path, line: index + 1, what: ban.what }]
          : [];
      }),
    );

export const rules: readonly Rule[] = [
  importArrows,
  packageArrows,
  deepProviderImports,
  fileSize,
  fileName,
  bannedText,
];
