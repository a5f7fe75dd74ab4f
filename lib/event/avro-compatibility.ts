import type { AvroSchema, EnumSchema, Field, FixedSchema, Primitive, RecordSchema } from './avro-schema.ts';

/** One reason why data written with one schema cannot be read with another. */
export interface Incompatibility {
  /** Where in the reader's schema, e.g. `/fields/amount/items`; empty for its root. */
  readonly path: string;
  readonly message: string;
}

/** What a writer's primitive may be read as, besides itself. */
const promotions: Readonly<Partial<Record<Primitive, readonly Primitive[]>>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};

/** Pairs that are being compared further up; a recursive schema meets them again. */
type Seen = Map<AvroSchema, Set<AvroSchema>>;

/**
 * Whether data written with `writer` can be read with `reader`: nothing, or every reason why not.
 * The rules are those of "Schema Resolution" in the Avro 1.11 specification; a union is taken to hold any of its
 * branches, so each must be readable. Logical types do not count, as in Avro's own SchemaCompatibility.
 */
export function incompatibilities(reader: AvroSchema, writer: AvroSchema): readonly Incompatibility[] {
  return compare(reader, writer, '', new Map());
}

function compare(
  reader: AvroSchema,
  writer: AvroSchema,
  path: string,
  seen: Seen,
): readonly Incompatibility[] {
  const writersSeen = seen.get(reader) ?? new Set();
  // Met again below itself: whatever is wrong with the pair is reported where it was met first.
  if (writersSeen.has(writer)) return [];
  seen.set(reader, writersSeen.add(writer));
  const found = compareUnseen(reader, writer, path, seen);
  writersSeen.delete(writer);
  return found;
}

function compareUnseen(
  reader: AvroSchema,
  writer: AvroSchema,
  path: string,
  seen: Seen,
): readonly Incompatibility[] {
  if (writer.kind === 'union')
    return writer.branches.flatMap((branch) => compare(reader, branch, path, seen));
  switch (reader.kind) {
    case 'union':
      return compareWithUnion(reader.branches, writer, path, seen);
    case 'primitive':
      return comparePrimitive(reader.name, writer, path);
    case 'array':
      return writer.kind === 'array'
        ? compare(reader.items, writer.items, `${path}/items`, seen)
        : [otherType(reader, writer, path)];
    case 'map':
      return writer.kind === 'map'
        ? compare(reader.values, writer.values, `${path}/values`, seen)
        : [otherType(reader, writer, path)];
    case 'enum':
      return writer.kind === 'enum' ? compareEnums(reader, writer, path) : [otherType(reader, writer, path)];
    case 'fixed':
      return writer.kind === 'fixed' ? compareFixed(reader, writer, path) : [otherType(reader, writer, path)];
    case 'record':
      return writer.kind === 'record'
        ? compareRecords(reader, writer, path, seen)
        : [otherType(reader, writer, path)];
  }
}

/** Any branch will do. When none does, the branch of the same name says why; else the type is missing. */
function compareWithUnion(
  branches: readonly AvroSchema[],
  writer: AvroSchema,
  path: string,
  seen: Seen,
): readonly Incompatibility[] {
  const tried = branches.map((branch, at) => ({
    branch,
    reasons: compare(branch, writer, `${path}/${at}`, seen),
  }));
  if (tried.some(({ reasons }) => reasons.length === 0)) return [];
  const alike = tried.find(({ branch }) => describe(branch) === describe(writer));
  return alike?.reasons ?? [{ path, message: `the union has no branch for ${describe(writer)}` }];
}

function comparePrimitive(reader: Primitive, writer: AvroSchema, path: string): readonly Incompatibility[] {
  if (writer.kind === 'primitive') {
    if (writer.name === reader || promotions[writer.name]?.includes(reader) === true) return [];
  }
  return [{ path, message: `${describe(writer)} cannot be read as ${reader}` }];
}

function compareEnums(reader: EnumSchema, writer: EnumSchema, path: string): readonly Incompatibility[] {
  const reasons = otherName(reader, writer, path);
  const missing = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
  if (missing.length === 0 || reader.hasDefault) return reasons;
  return [...reasons, { path: `${path}/symbols`, message: `${missing.join(', ')} missing, and no default` }];
}

function compareFixed(reader: FixedSchema, writer: FixedSchema, path: string): readonly Incompatibility[] {
  const reasons = otherName(reader, writer, path);
  if (reader.size === writer.size) return reasons;
  return [
    ...reasons,
    { path: `${path}/size`, message: `${writer.size} bytes cannot be read as ${reader.size}` },
  ];
}

function compareRecords(
  reader: RecordSchema,
  writer: RecordSchema,
  path: string,
  seen: Seen,
): readonly Incompatibility[] {
  const fields = reader.fields.flatMap((field) => {
    const at = `${path}/fields/${field.name}`;
    const written = writtenAs(field, writer);
    if (written !== undefined) return compare(field.schema, written.schema, at, seen);
    return field.hasDefault
      ? []
      : [{ path: at, message: 'the field is not in the written data and has no default' }];
  });
  return [...otherName(reader, writer, path), ...fields];
}

/** The field's own name goes before its aliases. */
function writtenAs(field: Field, writer: RecordSchema): Field | undefined {
  const names = [field.name, ...field.aliases];
  return names.flatMap((name) => writer.fields.find((candidate) => candidate.name === name) ?? [])[0];
}

type Named = RecordSchema | EnumSchema | FixedSchema;

/** Names match without their namespaces; an alias of the reader's stands for the writer's whole name. */
function otherName(reader: Named, writer: Named, path: string): readonly Incompatibility[] {
  if (shortName(reader.name) === shortName(writer.name) || reader.aliases.includes(writer.name)) return [];
  return [{ path: `${path}/name`, message: `${writer.name} is not ${reader.name}, nor an alias of it` }];
}

function otherType(reader: AvroSchema, writer: AvroSchema, path: string): Incompatibility {
  return { path, message: `${describe(writer)} cannot be read as ${describe(reader)}` };
}

function describe(schema: AvroSchema): string {
  switch (schema.kind) {
    case 'primitive':
      return schema.name;
    case 'record':
    case 'enum':
    case 'fixed':
      return `${schema.kind} ${shortName(schema.name)}`;
    case 'array':
    case 'map':
    case 'union':
      return schema.kind;
  }
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
