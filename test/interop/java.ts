import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** 3.4 is the last line that keeps its metrics and its leader in tables of their own. */
export type KclLine = '2.7' | '3.4' | '3.5';

/** The newest of their line on Maven Central. */
export const kclVersions: { readonly [L in KclLine]: string } = {
  '2.7': '2.7.2',
  '3.4': '3.4.2',
  '3.5': '3.5.1',
};

/** `missing` says what this machine lacks; nothing is wrong with the code then. */
export type JavaBuild =
  | { readonly type: 'built'; readonly classPath: string }
  | { readonly type: 'missing'; readonly why: string };

const run = promisify(execFile);
const sources = join(import.meta.dirname, 'java');
/** A first resolution downloads about 130 files. */
const resolveMs = 300_000;
const compileMs = 120_000;

/**
 * Compiles the worker against one KCL. The result lies in the system's temporary folder, named after the sources, so
 * it is made once. Rejects where our own Java does not compile.
 */
export async function buildJava(line: KclLine): Promise<JavaBuild> {
  for (const [tool, flag] of [
    ['javac', '-version'],
    ['mvn', '-version'],
  ] as const) {
    try {
      await run(tool, [flag], { timeout: compileMs });
    } catch (error) {
      return {
        type: 'missing',
        why: `${tool} does not run (${firstLine(error)}): install a JDK 17 and Maven`,
      };
    }
  }
  const files = await sourceFiles(line);
  const target = join(
    tmpdir(),
    `weir-interop-${process.getuid?.() ?? 0}`,
    `kcl${line}-${await digestOf(files)}`,
  );
  const pathFile = join(target, 'classpath');
  const done = join(target, 'done');
  if (!existsSync(done)) {
    await mkdir(target, { recursive: true });
    const problem = await resolveJars(line, pathFile);
    if (problem !== undefined) return { type: 'missing', why: problem };
    const jars = await readFile(pathFile, 'utf8');
    const java = files.filter((file) => file.endsWith('.java'));
    await run('javac', ['-proc:none', '-Xlint:-options', '-d', target, '-cp', jars, ...java], {
      timeout: compileMs,
    });
    await writeFile(done, '');
  }
  return { type: 'built', classPath: `${target}:${await readFile(pathFile, 'utf8')}` };
}

async function resolveJars(line: KclLine, outputFile: string): Promise<string | undefined> {
  const options = [
    '-q',
    '-B',
    '-f',
    join(sources, 'pom.xml'),
    'dependency:build-classpath',
    `-Dkcl.version=${kclVersions[line]}`,
    `-Dmdep.outputFile=${outputFile}`,
  ];
  try {
    await run('mvn', options, { timeout: resolveMs });
    return undefined;
  } catch (error) {
    return `Maven cannot resolve KCL ${kclVersions[line]}: ${firstLine(error)}`;
  }
}

async function sourceFiles(line: KclLine): Promise<readonly string[]> {
  const folders = ['common', `kcl${line.slice(0, 1)}`].map((name) => join(sources, name));
  const files = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).sort().map((name) => join(folder, name))),
  );
  return [join(sources, 'pom.xml'), ...files.flat()];
}

async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

function firstLine(error: unknown): string {
  const { stdout, message } = error as { stdout?: string; message: string };
  const told = stdout?.split('\n').find((line) => line.includes('ERROR'));
  return (told ?? message.split('\n')[0] ?? '').slice(0, 300);
}
