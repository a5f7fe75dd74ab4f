/** An Avro schema with its names resolved: a graph, since a record may contain itself. Logical types are left out. */
export type AvroSchema =
  | { readonly kind: 'primitive'; readonly name: Primitive }
  | { readonly kind: 'array'; readonly items: AvroSchema }
  | { readonly kind: 'map'; readonly values: AvroSchema }
  | { readonly kind: 'union'; readonly branches: readonly AvroSchema[] }
  | NamedSchema;

export type NamedSchema = RecordSchema | EnumSchema | FixedSchema;

interface Named {
  /** With its namespace, e.g. `weir.City`. */
  readonly name: string;
  readonly aliases: readonly string[];
}

export interface RecordSchema extends Named {
  readonly kind: 'record';
  readonly fields: readonly Field[];
}

export interface EnumSchema extends Named {
  readonly kind: 'enum';
  readonly symbols: readonly string[];
  readonly hasDefault: boolean;
}

export interface FixedSchema extends Named {
  readonly kind: 'fixed';
  readonly size: number;
}

export interface Field {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly schema: AvroSchema;
  readonly hasDefault: boolean;
}

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const;
export type Primitive = (typeof primitives)[number];

type Json = Readonly<Record<string, unknown>>;

/** Names seen so far, and the namespace that a short name belongs to. */
interface Scope {
  readonly named: Map<string, NamedSchema>;
  readonly namespace: string;
}

/**
 * Reads a schema's JSON. It is strict about what compatibility depends on; the rest (names' characters, defaults of
 * the right type) is for the codec to check.
 * @throws TypeError that says what is wrong
 */
export function parseAvroSchema(json: unknown): AvroSchema {
  return parseIn(json, { named: new Map(), namespace: '' });
}

function parseIn(json: unknown, scope: Scope): AvroSchema {
  if (typeof json === 'string') return reference(json, scope);
  if (Array.isArray(json)) return { kind: 'union', branches: json.map((branch) => parseIn(branch, scope)) };
  if (typeof json !== 'object' || json === null) throw new TypeError(`${JSON.stringify(json)} is no schema`);
  const object = json as Json;
  switch (object.type) {
    case 'record':
    case 'error':
      return record(object, scope);
    case 'enum':
      return enumeration(object, scope);
    case 'fixed':
      return fixed(object, scope);
    case 'array':
      return { kind: 'array', items: parseIn(object.items, scope) };
    case 'map':
      return { kind: 'map', values: parseIn(object.values, scope) };
    default:
      return parseIn(object.type, scope);
  }
}

function reference(name: string, { named, namespace }: Scope): AvroSchema {
  const primitive = primitives.find((candidate) => candidate === name);
  if (primitive !== undefined) return { kind: 'primitive', name: primitive };
  const found = named.get(qualify(name, namespace)) ?? named.get(name);
  if (found === undefined) throw new TypeError(`the type ${name} is not defined`);
  return found;
}

function record(json: Json, scope: Scope): RecordSchema {
  if (!Array.isArray(json.fields))
    throw new TypeError(`the record ${String(json.name)} has no list of fields`);
  const fields: Field[] = [];
  const { names, inner } = declare(json, scope);
  const schema: RecordSchema = { kind: 'record', ...names, fields };
  // Known before its fields are read: they may refer to it.
  scope.named.set(schema.name, schema);
  for (const field of json.fields as readonly Json[]) {
    if (typeof field.name !== 'string') throw new TypeError(`a field of ${schema.name} has no name`);
    fields.push({
      name: field.name,
      aliases: texts(field.aliases),
      schema: parseIn(field.type, inner),
      hasDefault: 'default' in field,
    });
  }
  return schema;
}

function enumeration(json: Json, scope: Scope): EnumSchema {
  const { names } = declare(json, scope);
  const schema: EnumSchema = {
    kind: 'enum',
    ...names,
    symbols: texts(json.symbols),
    hasDefault: 'default' in json,
  };
  scope.named.set(schema.name, schema);
  return schema;
}

function fixed(json: Json, scope: Scope): FixedSchema {
  if (typeof json.size !== 'number') throw new TypeError(`the fixed type ${String(json.name)} has no size`);
  const schema: FixedSchema = { kind: 'fixed', ...declare(json, scope).names, size: json.size };
  scope.named.set(schema.name, schema);
  return schema;
}

function declare(json: Json, scope: Scope): { readonly names: Named; readonly inner: Scope } {
  if (typeof json.name !== 'string') throw new TypeError(`a ${String(json.type)} has no name`);
  const given = typeof json.namespace === 'string' ? json.namespace : scope.namespace;
  const name = qualify(json.name, given);
  if (scope.named.has(name)) throw new TypeError(`the type ${name} is defined twice`);
  const namespace = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '';
  const aliases = texts(json.aliases).map((alias) => qualify(alias, namespace));
  return { names: { name, aliases }, inner: { named: scope.named, namespace } };
}

/** A name with a dot is whole already, whatever the namespace around it. */
function qualify(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
