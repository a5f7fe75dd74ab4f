import { createServer } from 'node:net';
import { PlatformError } from '../lib/runtime/errors.ts';
import { type NamedPort, portOffsets } from './options.ts';

/** The fixed ports of a platform; all 0 when any free port will do. */
export function portsFrom(base: number): Readonly<Record<NamedPort, number>> {
  const entries = Object.entries(portOffsets).map(([name, offset]) => [name, base === 0 ? 0 : base + offset]);
  return Object.fromEntries(entries) as Record<NamedPort, number>;
}

/**
 * Looks at every fixed port before anything is started, so that a clash is one sentence and not seven stack traces.
 * @throws PlatformError `port-in-use`
 */
export async function checkPorts(ports: Readonly<Record<NamedPort, number>>): Promise<void> {
  const taken: string[] = [];
  for (const [name, port] of Object.entries(ports)) {
    if (port !== 0 && !(await isFree(port))) taken.push(`${port} (${name})`);
  }
  if (taken.length === 0) return;
  const who = taken.length === Object.keys(ports).length ? 'Another local platform seems to run here. ' : '';
  throw new PlatformError(
    'port-in-use',
    `${who}Taken on 127.0.0.1: ${taken.join(', ')}. Stop what listens there, or choose others with --port-base, e.g. --port-base ${(ports.query || 4500) + 100}`,
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
