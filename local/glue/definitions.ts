import type { Compatibility, DataFormat } from '@aws-sdk/client-glue';
import avsc from 'avsc';
import { messageOf } from '../../lib/runtime/errors.ts';
import { incompatibilities } from '../../lib/event/avro-compatibility.ts';
import { parseAvroSchema } from '../../lib/event/avro-schema.ts';
import { GlueError } from './errors.ts';
import type { Schema, Version } from './state.ts';

/** Characters of a definition (Glue API reference, RegisterSchemaVersion). */
const definitionLengthMax = 170_000;

/** What is wrong with a definition, or nothing. JSON schemas are only checked to be JSON; PROTOBUF is not known here. */
export function definitionProblem(
  format: DataFormat | undefined,
  definition: string | undefined,
): string | undefined {
  if (definition === undefined || definition.trim() === '') return 'it is empty';
  if (definition.length > definitionLengthMax) return `it is longer than ${definitionLengthMax} characters`;
  if (format !== 'AVRO' && format !== 'JSON')
    return `the data format ${format ?? ''} is not implemented: use AVRO or JSON`;
  try {
    const json: unknown = JSON.parse(definition);
    if (format === 'AVRO') {
      parseAvroSchema(json);
      avsc.Type.forSchema(json as avsc.Schema);
    }
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** @throws GlueError InvalidInputException */
export function checkDefinition(format: DataFormat | undefined, definition: string | undefined): string {
  const problem = definitionProblem(format, definition);
  if (definition !== undefined && problem === undefined) return definition;
  const message = `Schema definition of ${format ?? 'unknown'} data format is invalid: ${problem ?? 'it is missing'}`;
  throw new GlueError('InvalidInputException', message);
}

/** Two texts of one definition: white space does not count. Definitions are known to be JSON. */
export function sameDefinition(left: string, right: string): boolean {
  return left === right || JSON.stringify(JSON.parse(left)) === JSON.stringify(JSON.parse(right));
}

interface Rule {
  /** New must read old; old must read new. */
  readonly backward: boolean;
  readonly forward: boolean;
  /** Every version since the checkpoint, or only the latest. */
  readonly all: boolean;
}

const rules: Readonly<Record<Compatibility, Rule>> = {
  NONE: { backward: false, forward: false, all: false },
  DISABLED: { backward: false, forward: false, all: false },
  BACKWARD: { backward: true, forward: false, all: false },
  BACKWARD_ALL: { backward: true, forward: false, all: true },
  FORWARD: { backward: false, forward: true, all: false },
  FORWARD_ALL: { backward: false, forward: true, all: true },
  FULL: { backward: true, forward: true, all: false },
  FULL_ALL: { backward: true, forward: true, all: true },
};

export function isCompatibility(mode: string | undefined): mode is Compatibility {
  return mode !== undefined && Object.hasOwn(rules, mode);
}

/** Whether a definition may follow the schema's versions. Glue, too, compares no JSON schemas. */
export function isCompatible(schema: Schema, definition: string): boolean {
  const rule = rules[schema.compatibility];
  if (schema.format !== 'AVRO') return true;
  const earlier = schema.versions.filter(
    (version) => version.status === 'AVAILABLE' && (!rule.all || version.number >= schema.checkpoint),
  );
  const compared = rule.all ? earlier : earlier.slice(-1);
  return compared.every((version) => follows(rule, version, definition));
}

function follows(rule: Rule, version: Version, definition: string): boolean {
  const before = parseAvroSchema(JSON.parse(version.definition));
  const after = parseAvroSchema(JSON.parse(definition));
  const readsOld = !rule.backward || incompatibilities(after, before).length === 0;
  const isRead = !rule.forward || incompatibilities(before, after).length === 0;
  return readsOld && isRead;
}
