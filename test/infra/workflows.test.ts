import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly uses?: string;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly { readonly uses?: string; readonly run?: string }[];
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = '.github/workflows';
const files = readdirSync(folder);
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const workflows = files.map((file) => ({ file, workflow: parse(read(file)) as Workflow }));
const jobs = workflows.flatMap(({ file, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ where: `${file}: ${name}`, job })),
);

describe('the workflows', () => {
  it('may only read, unless a job says why it needs more', () => {
    for (const { file, workflow } of workflows) {
      expect(workflow.permissions, file).to.deep.equal({ contents: 'read' });
    }
  });

  it('hold no keys: roles are taken by OIDC', () => {
    for (const file of files) expect(read(file)).not.to.match(/secrets\.|AWS_SECRET|aws-access-key/i);
  });

  it('end by themselves when something hangs', () => {
    for (const { where, job } of jobs)
      if (job.uses === undefined) expect(job['timeout-minutes'], where).to.be.at.most(60);
  });

  it('name a version of every action', () => {
    const used = jobs.flatMap(({ job }) => (job.steps ?? []).flatMap(({ uses }) => uses ?? []));
    expect(used.length).to.be.greaterThan(5);
    for (const action of used) expect(action).to.match(/@(v\d+|[0-9a-f]{40})$/);
  });

  it('apply only a plan file, and only behind an environment', () => {
    const applying = jobs.filter(({ job }) =>
      (job.steps ?? []).some(({ run }) => /terraform .*\bapply\b/.test(run ?? '')),
    );
    expect(applying).to.have.length(1);
    for (const { job } of applying) {
      expect(job.environment).to.contain('inputs.environment');
      expect(job.steps?.some(({ run }) => run?.endsWith('apply -input=false tfplan'))).to.equal(true);
    }
  });

  it('put no text of a pull request into a shell', () => {
    for (const { where, job } of jobs) {
      for (const { run } of job.steps ?? [])
        expect(run ?? '', where).not.to.match(/\$\{\{\s*github\.event\./);
    }
  });
});
