// `npm test`: every test, or those under the paths that are given. The last line says how many passed.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const paths = process.argv.slice(2);
const spec = paths.length > 0 ? paths : ['test/**/*.test.ts'];
const mocha = spawn(
  process.execPath,
  [
    join(root, 'node_modules/mocha/bin/mocha.js'),
    '--node-option',
    'import=tsx',
    '--reporter',
    join(root, 'test/support/reporter.mjs'),
    '--timeout',
    '20000',
    '--forbid-only',
    ...spec,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    // The SDK's notice about Node 20 would come with every file that loads it.
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
);
process.on('SIGINT', () => mocha.kill('SIGINT'));
mocha.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
