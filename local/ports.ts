import { type AddressInfo, createServer, type Server } from 'node:net';
import { PlatformError } from '../lib/runtime/errors.ts';
import { type NamedPort, portOffsets } from './options.ts';

export type NamedPorts = Readonly<Record<NamedPort, number>>;

/**
 * The ports of a platform, fixed for its life: a service that is started again keeps its address. With base 0 free ones
 * are looked for, for tests; somebody else may take one in the moment before we do, and then the start says so.
 */
export async function choosePorts(base: number): Promise<NamedPorts> {
  const names = Object.keys(portOffsets) as NamedPort[];
  const ports = base === 0 ? await freePorts(names.length) : names.map((name) => base + portOffsets[name]);
  return Object.fromEntries(names.map((name, at) => [name, ports[at] ?? 0])) as Record<NamedPort, number>;
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listening(0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listening(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/**
 * Looks at every fixed port before anything is started, so that a clash is one sentence and not seven stack traces.
 * @throws PlatformError `port-in-use`
 */
export async function checkPorts(ports: NamedPorts): Promise<void> {
  const taken: string[] = [];
  for (const [name, port] of Object.entries(ports)) {
    if (!(await isFree(port))) taken.push(`${port} (${name})`);
  }
  if (taken.length === 0) return;
  const who = taken.length === Object.keys(ports).length ? 'Another local platform seems to run here. ' : '';
  throw new PlatformError(
    'port-in-use',
    `${who}Taken on 127.0.0.1: ${taken.join(', ')}. Stop what listens there, or choose others with --port-base, e.g. --port-base ${ports.query + 100}`,
  );
}

async function isFree(port: number): Promise<boolean> {
  try {
    const probe = await listening(port);
    await new Promise((resolve) => probe.close(resolve));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
}
