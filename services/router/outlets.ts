import { createEncoder } from '../../lib/event/codec.ts';
import type { Routes } from '../../lib/event/routes.ts';
import type { SchemaRegistry } from '../../lib/event/schemas.ts';
import type { Clock } from '../../lib/runtime/clock.ts';
import { ConfigError } from '../../lib/runtime/errors.ts';
import type { Kinesis } from '../../lib/streams/kinesis.ts';
import { createStampedWriter } from '../../lib/streams/stamped-writer.ts';
import type { Outlet } from './handler.ts';

export interface OutletPorts {
  readonly kinesis: Kinesis;
  readonly registry: SchemaRegistry;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * An outlet for every stream of the rules. `names`: the Kinesis stream of each.
 * @throws ConfigError when the rules name a stream that the installation does not have
 */
export async function openOutlets(
  streams: Routes['streams'],
  names: Readonly<Record<string, string>>,
  ports: OutletPorts,
): Promise<ReadonlyMap<string, Outlet>> {
  const unknown = Object.keys(streams).filter((name) => !Object.hasOwn(names, name));
  if (unknown.length > 0) {
    const fix = (name: string): string => `${name}: deploy the streams of flow/routes.yaml before the router`;
    throw new ConfigError('OUTBOUND_STREAMS has no Kinesis stream for', unknown.map(fix));
  }
  const outlets = Object.entries(streams).map(async ([name, { encoding }]): Promise<[string, Outlet]> => {
    const stream = names[name] ?? name;
    const { maxRecordBytes } = await ports.kinesis.describe(stream);
    const encode = await createEncoder(encoding, ports.registry);
    const limits = { recordBytes: maxRecordBytes };
    const open: Outlet['open'] = (source, startFloor) =>
      createStampedWriter({ ...ports, stream, source, startFloor, limits });
    return [name, { encode, open }];
  });
  return new Map(await Promise.all(outlets));
}
