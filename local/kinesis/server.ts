import { join } from 'node:path';
import { createLog, type Log } from '../../lib/runtime/log.ts';
import { listen } from '../listen.ts';
import { Faults } from './control/faults.ts';
import { serviceThroughput, unlimited } from './control/limits.ts';
import { dispatch, type Dispatch } from './dispatch.ts';
import type { Call, Settings } from './operations/call.ts';
import { FileJournal } from './journal/file-journal.ts';
import { journalFolder, restoreStreams } from './journal/restore.ts';
import { Subscriptions } from './operations/subscribe.ts';
import { Account } from './storage/account.ts';
import { noJournal } from './storage/stream.ts';
import { Exchange } from './wire/exchange.ts';
import { createOnePort } from './wire/one-port.ts';

export interface KinesisOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: string;
  readonly region: string;
  /** Twelve digits. */
  readonly accountId: string;
  /** Streams are kept over a restart in its folder `kinesis`; absent: only in memory. */
  readonly dataDir?: string;
  /** `service`: 1 MiB and 1,000 records written, 5 reads and 2 MiB read per shard and second. */
  readonly limits: 'off' | 'service';
  /** Data and partition key of one record, for streams that are created without a size of their own. Default 1 MiB. */
  readonly maxRecordBytes?: number;
  /** All records of one PutRecords. Default 5 MiB. */
  readonly maxCallBytes?: number;
  /** How long streams stay CREATING, UPDATING or DELETING, and consumers CREATING. Default 0. */
  readonly createStreamMs?: number;
  /** How long a subscription lasts. Default five minutes, as the service's. */
  readonly subscriptionMs?: number;
  readonly memoryBytesMax?: number;
  readonly clock?: { readonly now: () => number };
  /** Decides whether a fault with a probability strikes; in [0, 1). */
  readonly random?: () => number;
  readonly log?: Log;
}

export interface KinesisServer {
  readonly url: string;
  readonly port: number;
  readonly faults: Faults;
  /** Ends subscriptions, answers what is under way, closes the journals. */
  readonly close: () => Promise<void>;
}

const MIB = 1024 * 1024;
const SUBSCRIPTION_MS = 300_000;
/** Consumers give up on a subscription that is silent for half a minute. */
const HEARTBEAT_MS = 5_000;
/** More than a laptop should give to streams; beyond it puts fail and say so. */
const MEMORY_BYTES_MAX = 4 * 1024 * MIB;

/** The Kinesis of the laptop: rejects with `port-in-use` where the port is taken. */
export async function startKinesis(options: KinesisOptions): Promise<KinesisServer> {
  const host = options.host ?? '127.0.0.1';
  const log = options.log ?? createLog('warn', { service: 'kinesis' });
  const account = openAccount(options, log);
  const faults = new Faults(options.random ?? Math.random);
  const subscriptions = new Subscriptions();
  const to = dispatchOf(options, { account, faults, subscriptions, log });
  const { server, close } = createOnePort((request, response) => {
    void dispatch(to, new Exchange(request, response));
  });
  const port = await listen(server, { host, port: options.port, what: 'Kinesis' });
  return {
    url: `http://${host}:${port}`,
    port,
    faults,
    close: async () => {
      subscriptions.stopAll();
      await close();
      account.close();
    },
  };
}

function openAccount(options: KinesisOptions, log: Log): Account {
  const identity = { region: options.region, accountId: options.accountId };
  if (options.dataDir === undefined) return new Account(identity, () => noJournal);
  const dataDir = join(options.dataDir, 'kinesis');
  const open = (name: string, createdAtMs: number): FileJournal =>
    new FileJournal(journalFolder(dataDir, name, createdAtMs), []);
  const account = new Account(identity, open);
  restoreStreams(dataDir, account, log);
  return account;
}

interface Parts {
  readonly account: Account;
  readonly faults: Faults;
  readonly subscriptions: Subscriptions;
  readonly log: Log;
}

function dispatchOf(options: KinesisOptions, { account, faults, subscriptions, log }: Parts): Dispatch {
  const now = options.clock?.now ?? Date.now;
  const settings = settingsOf(options);
  const throughput = options.limits === 'service' ? serviceThroughput() : unlimited;
  return {
    call: (): Call => ({ account, settings, throughput, faults, nowMs: now() }),
    subscriptions,
    push: { now, subscriptionMs: options.subscriptionMs ?? SUBSCRIPTION_MS, heartbeatMs: HEARTBEAT_MS },
    log,
  };
}

function settingsOf(options: KinesisOptions): Settings {
  return {
    maxRecordBytes: options.maxRecordBytes ?? MIB,
    maxCallBytes: options.maxCallBytes ?? 5 * MIB,
    createStreamMs: options.createStreamMs ?? 0,
    memoryBytesMax: options.memoryBytesMax ?? MEMORY_BYTES_MAX,
    strict: options.limits === 'service',
  };
}
