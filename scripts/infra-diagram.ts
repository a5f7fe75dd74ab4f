import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames } from '../services/catalogue.ts';
import type { StackJson } from './offline/stack.ts';
import { synthesise } from './offline/synthesise.ts';
import { diagramPage } from './plan/diagram.ts';

/** Writes docs/infrastructure.md from the stack as it is now. */
const root = join(import.meta.dirname, '..');
const stack = JSON.parse(synthesise()) as StackJson;
writeFileSync(join(root, 'docs', 'infrastructure.md'), diagramPage(stack, serviceNames));
