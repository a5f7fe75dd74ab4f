import type { AddressInfo, Server } from 'node:net';
import { PlatformError } from '../lib/runtime/errors.ts';

export interface ListenAt {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Who wants the port, for the message: "Kinesis", "S3", … */
  readonly what: string;
}

/** A stand-in that is up. `close` resolves when its port is free and its data is on disk. */
export interface StandIn {
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** What a taken port is reported as, whichever server wanted it. */
export function portInUse(at: ListenAt, cause: unknown): PlatformError {
  const message = `Port ${at.port} on ${at.host}, wanted for ${at.what}, is taken: stop what listens there or choose another port`;
  return new PlatformError('port-in-use', message, { cause });
}

export function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}

/** Binds `server` and gives the port it got. A taken port rejects with the code `port-in-use`. */
export function listen(server: Server, at: ListenAt): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(isAddressInUse(error) ? portInUse(at, error) : error);
    server.once('error', failed);
    server.listen({ port: at.port, host: at.host }, () => {
      server.off('error', failed);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
