import { expect } from 'chai';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { deployableSchemas } from '../../modules/schema-registry/history.ts';
import { synthesise } from '../../scripts/offline/synthesise.ts';

interface Field {
  readonly name: string;
  readonly type: unknown;
  readonly default?: unknown;
}
interface RecordSchema {
  readonly name: string;
  readonly fields: readonly Field[];
}

describe('a schema of the flow', function () {
  this.timeout(30_000);
  let folder = '';
  const schemas = (): string => join(folder, 'flow', 'schemas');
  const change = (name: string, edit: (schema: RecordSchema) => RecordSchema): void => {
    const file = join(schemas(), `${name}.avsc`);
    writeFileSync(file, JSON.stringify(edit(JSON.parse(readFileSync(file, 'utf8')) as RecordSchema)));
  };
  const add = (field: Field): void => change('event', (was) => ({ ...was, fields: [...was.fields, field] }));
  const publish = (): { readonly code: number | null; readonly said: string } => {
    const args = ['--import', 'tsx', 'scripts/publish-schemas.ts', '--folder', schemas()];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
    return { code: run.status, said: run.stdout + run.stderr };
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-flow-'));
    cpSync('flow', join(folder, 'flow'), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('may be deployed as it is published', () => {
    expect(deployableSchemas('flow/schemas').map(({ name }) => name)).to.include('event');
  });

  const breaking: readonly (readonly [
    what: string,
    edit: (was: RecordSchema) => RecordSchema,
    says: string,
  ])[] = [
    [
      'a new field without a default',
      (was) => ({ ...was, fields: [...was.fields, { name: 'tenant', type: 'string' }] }),
      'event: /fields/tenant: the field is not in the written data and has no default; published version 1 must stay readable: give a new field a "default"',
    ],
    [
      'a narrowed type',
      (was) => ({
        ...was,
        fields: was.fields.map((field) => (field.name === 'subject' ? { ...field, type: 'int' } : field)),
      }),
      'event: /fields/subject: string cannot be read as int',
    ],
    [
      'another name',
      (was) => ({ ...was, name: 'Envelope' }),
      'event: /name: weir.Event is not weir.Envelope, nor an alias of it; published version 1 must stay readable: keep the name, or list the old one in "aliases"',
    ],
  ];

  for (const [what, edit, says] of breaking) {
    it(`that has ${what} is refused with its name, the path in it and the fix`, () => {
      change('event', edit);
      expect(() => deployableSchemas(schemas())).to.throw(says);
    });
  }

  it('that breaks its readers stops the synthesis: no plan, no call to AWS', () => {
    add({ name: 'tenant', type: 'string' });
    expect(() => synthesise(folder)).to.throw('event: /fields/tenant: the field is not in the written data');
  });

  it('that changed compatibly is refused until it is published, and deployed after', () => {
    add({ name: 'tenant', type: 'string', default: '' });
    expect(() => deployableSchemas(schemas())).to.throw(
      'event: has no published version like it: run npm run schema:publish',
    );
    expect(publish()).to.deep.equal({ code: 0, said: `${join(schemas(), 'published/event/2.avsc')}\n` });
    expect(() => deployableSchemas(schemas())).not.to.throw();
  });

  it('is compared with the last published version, not with the first', () => {
    add({ name: 'tenant', type: 'string', default: '' });
    publish();
    change('event', (was) => ({
      ...was,
      fields: was.fields.map((field) =>
        field.name === 'tenant' ? { ...field, type: 'int', default: 0 } : field,
      ),
    }));
    expect(() => deployableSchemas(schemas())).to.throw('published version 2 must stay readable');
  });

  it('cannot be published once it breaks: nothing is written', () => {
    add({ name: 'tenant', type: 'string' });
    const { code, said } = publish();
    expect(code).to.equal(1);
    expect(said).to.contain('event: /fields/tenant');
  });

  it('that is gone is refused: its events are still there', () => {
    rmSync(join(schemas(), 'event.avsc'));
    expect(() => deployableSchemas(schemas())).to.throw('event: was published and is gone');
  });

  it('with a version that is missing is refused', () => {
    cpSync(join(schemas(), 'published/event/1.avsc'), join(schemas(), 'published/event/3.avsc'));
    expect(() => deployableSchemas(schemas())).to.throw('are not 1.avsc, 2.avsc, …');
  });
});
