import type { VariableDefinition } from './definition.ts';
import { operationsVariables } from './operations.ts';
import { platformVariables } from './platform.ts';
import { storageVariables } from './storage.ts';
import { serviceVariables, type ShardLimit } from './services.ts';
import { streamVariables } from './streams.ts';

export interface VariableScope {
  readonly services: readonly string[];
  readonly tables: readonly string[];
  /** The streams that flow/routes.yaml sends to. */
  readonly routedStreams: readonly string[];
  readonly shardLimits: readonly ShardLimit[];
}

/** Every variable of the platform, in the order of terraform.tfvars.example. */
export function allVariables(scope: VariableScope): readonly VariableDefinition[] {
  return [
    ...platformVariables,
    ...streamVariables(scope.routedStreams),
    ...serviceVariables(scope.services, scope.shardLimits),
    ...storageVariables(scope.tables),
    ...operationsVariables,
  ];
}
