// `npm run check`: what every commit must pass, in a minute or two: format, lint, types, and the tests that need no
// server but our own. The slow ones (real peers, Terraform, end to end) are in `npm test` and `npm run e2e`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name) => join(root, 'node_modules/.bin', name);

const steps = [
  { name: 'format', command: bin('biome'), args: ['format', '.'] },
  { name: 'lint', command: bin('oxlint'), args: ['--type-aware', '--deny-warnings'] },
  { name: 'types', command: bin('tsc'), args: ['--noEmit'] },
  // Two runs side by side, because a run of tests uses one core.
  { name: 'tests a', command: process.execPath, args: ['test/run.mjs', 'test/{flow,lib}/**/*.test.ts'] },
  {
    name: 'tests b',
    command: process.execPath,
    args: [
      'test/run.mjs',
      'test/*.test.ts',
      'test/{cli,local,services}/**/*.test.ts',
      'test/contract/kinesis-{port-local,port-memory,wire}.test.ts',
      'test/simulation/**/*.test.ts',
    ],
    // A taste of them; `npm test` runs 500 of each.
    env: { SIM_SEEDS: '60' },
  },
];

function run(step) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const env = { ...step.env, ...process.env };
    const child = spawn(step.command, step.args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('exit', (code) => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${step.name.padEnd(8)} ${seconds} s\n`);
      resolve({ step, code, output: Buffer.concat(output).toString() });
    });
  });
}

const results = await Promise.all(steps.map(run));
for (const { code, output } of results.filter((result) => result.code !== 0)) {
  process.stdout.write(`\n${output}`);
  process.exitCode = code ?? 1;
}
const counts = results
  .flatMap(({ output }) => output.match(/^\d+ passed, \d+ failed, \d+ skipped$/gm) ?? [])
  .map((line) => line.match(/\d+/g).map(Number));
const [passed, failed, skipped] = [0, 1, 2].map((at) => counts.reduce((sum, count) => sum + count[at], 0));
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
