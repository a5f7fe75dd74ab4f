import { join } from 'node:path';
import { tableNames } from '../../lib/stores/tables.ts';
import { serviceNames } from '../../services/catalogue.ts';
import { reads } from '../roles/access.ts';
import { readRoutedStreams } from '../streams/routed.ts';
import type { VariableDefinition } from './definition.ts';
import { operationsVariables } from './operations.ts';
import { platformVariables } from './platform.ts';
import { serviceVariables } from './services.ts';
import { storageVariables } from './storage.ts';
import { streamVariables } from './streams.ts';

/** Every variable of the platform, in the order of terraform.tfvars.example; `flow` is the folder of the rules. */
export function allVariables(flow: string): readonly VariableDefinition[] {
  const limits = Object.entries(reads).map(([service, streams]) => ({ service, reads: streams }));
  return [
    ...platformVariables,
    ...streamVariables(readRoutedStreams(join(flow, 'routes.yaml'))),
    ...serviceVariables(serviceNames, limits),
    ...storageVariables(tableNames),
    ...operationsVariables,
  ];
}
