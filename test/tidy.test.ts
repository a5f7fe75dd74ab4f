import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rules, type SourceFile, type Violation } from './support/tidy-rules.ts';

const root = join(import.meta.dirname, '..');

/** The checker's own files hold the very texts that it looks for. */
const self = ['test/tidy.test.ts', 'test/support/tidy-rules.ts'];

function sources(): readonly SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.mjs'], {
    cwd: root,
  });
  const paths = listed
    .toString()
    .split('\n')
    .filter((path) => path !== '' && !self.includes(path));
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function check(file: SourceFile): readonly Violation[] {
  return rules.flatMap((rule) => rule(file));
}

function rulesBroken(path: string, text: string): readonly string[] {
  return check({ path, text }).map((violation) => violation.rule);
}

describe('the house is tidy', () => {
  it('has no violation in any source file', () => {
    const found = sources().flatMap(check);
    expect(found.map((v) => `${v.path}:${v.line} ${v.rule}: ${v.what}`)).to.deep.equal([]);
  });

  const cases: readonly (readonly [rule: string, path: string, text: string])[] = [
    ['import-arrows', 'services/router/a.ts', "import { x } from '../ingest/config.ts';"],
    ['import-arrows', 'lib/event/a.ts', "import { x } from '../streams/kinesis.ts';"],
    ['import-arrows', 'lib/runtime/a.ts', "export { x } from '../event/event.ts';"],
    ['import-arrows', 'lib/streams/a.ts', "const x = await import('../leases/lease.ts');"],
    ['import-arrows', 'modules/streams/index.ts', "import { x } from '../../services/router/handler.ts';"],
    ['import-arrows', 'cli/send.ts', "import { x } from '../services/router/config.ts';"],
    ['package-arrows', 'services/router/a.ts', "import { App } from 'cdktf';"],
    ['package-arrows', 'lib/streams/a.ts', "import dynalite from 'dynalite';"],
    ['deep-provider-imports', 'modules/streams/index.ts', "import { x } from '@cdktf/provider-aws';"],
    ['file-size', 'lib/event/a.ts', 'const x = 1;\n'.repeat(401)],
    ['file-name', 'lib/event/camelCase.ts', ''],
    ['file-name', 'lib/event/index.ts', ''],
    ['no-console', 'lib/event/a.ts', 'console.log(1);'],
    ['clock-as-a-value', 'services/router/a.ts', 'const now = Date.now();'],
    ['clock-as-a-value', 'lib/streams/a.ts', 'setTimeout(f, 1);'],
    ['random-as-a-value', 'lib/leases/a.ts', 'const x = Math.random();'],
    ['environment-at-the-edge', 'services/router/main.ts', 'const x = process.env.X;'],
    ['no-leftovers', 'lib/event/a.ts', '// TODO later'],
    ['no-swallowed-errors', 'lib/event/a.ts', 'try { f(); } catch {}'],
    ['no-swallowed-errors', 'lib/event/a.ts', 'void f().catch(() => undefined);'],
    ['no-focused-tests', 'test/a.test.ts', "it.only('x', () => {});"],
    ['no-sleeping-tests', 'test/a.test.ts', 'const x = Math.random();'],
    ['names', 'lib/event/a.ts', 'export class LeaseManager {}'],
    ['names', 'lib/event/a.ts', 'export interface ILease {}'],
    ['no-enum-or-namespace', 'lib/event/a.ts', 'export enum A { B }'],
  ];
  for (const [rule, path, text] of cases) {
    it(`sees a breach of ${rule} in ${path}: ${text.slice(0, 40).split('\n')[0]}`, () => {
      expect(rulesBroken(path, text)).to.include(rule);
    });
  }

  it('lets a tidy file pass', () => {
    const text =
      "import type { Event } from '../../lib/event/event.ts';\nexport const idOf = (event: Event): string => event.id;\n";
    expect(rulesBroken('services/router/a.ts', text)).to.deep.equal([]);
  });
});

describe('the linter', () => {
  const lint = (text: string): string => {
    const folder = mkdtempSync(join(root, 'test', '.lint-'));
    try {
      writeFileSync(join(folder, 'sample.ts'), text);
      const args = [
        '--type-aware',
        '--deny-warnings',
        '--no-ignore',
        '-c',
        join(root, '.oxlintrc.json'),
        folder,
      ];
      const { stdout, status } = spawnSync(join(root, 'node_modules/.bin/oxlint'), args, { cwd: root });
      return status === 0 ? '' : stdout.toString();
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it('refuses a promise that nobody waits for', () => {
    const text = 'async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n';
    expect(lint(text)).to.include('no-floating-promises');
  });

  it('refuses a switch that forgets a case', () => {
    const text =
      "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 0;\n}\n";
    expect(lint(text)).to.include('switch-exhaustiveness-check');
  });

  it('refuses a function of more than 70 lines', () => {
    const text = `export function f(x: number): number {\n  let y = x;\n${'  y += 1;\n'.repeat(70)}  return y;\n}\n`;
    expect(lint(text)).to.include('max-lines-per-function');
  });

  it('lets good code pass', () => {
    expect(lint('export const one = 1;\n')).to.equal('');
  });
});
