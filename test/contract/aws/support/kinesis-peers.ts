import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { startKinesisLocal } from '../../../../bench/stand-in/servers.ts';
import { startKinesis } from '../../../../local/kinesis/server.ts';
import { isMotoThere, motoUrl } from './moto.ts';

export type PeerName = 'ours' | 'kinesis-local' | 'moto';

/** Where an independent server does not do what AWS documents. The documentation decides, so ours is never here. */
export interface Difference {
  readonly peer: Exclude<PeerName, 'ours'>;
  readonly rule: string;
  readonly does: string;
  readonly documented: string;
  /** Not even tried: it takes the peer so long that the rules after it would wait. */
  readonly untried?: true;
}

/** A rule of the service, as a sentence that holds on AWS; `check` rejects where the peer breaks it. */
export interface Rule {
  readonly sentence: string;
  readonly check: (client: KinesisClient) => Promise<void>;
}

interface Peer {
  readonly name: PeerName;
  /** Why it cannot be asked on this machine; undefined when it can. */
  readonly absent: () => string | undefined;
  readonly start: () => Promise<{ readonly url: string; readonly stop: () => Promise<void> }>;
  /** Only ours speaks HTTP/2 in a way that the SDK's default client accepts for every call. */
  readonly defaultClient: boolean;
}

const REGION = 'eu-central-1';
/** Longer than any rule takes on an idle machine: a peer that hangs must not hold up the others. */
const RULE_MS_MAX = 15_000;

const peers: readonly Peer[] = [
  {
    name: 'ours',
    absent: () => undefined,
    start: async () => {
      const server = await startKinesis({
        port: 0,
        region: REGION,
        accountId: '123456789012',
        limits: 'off',
      });
      return { url: server.url, stop: server.close };
    },
    defaultClient: true,
  },
  { name: 'kinesis-local', absent: () => undefined, start: startKinesisLocal, defaultClient: false },
  {
    name: 'moto',
    absent: () => (isMotoThere() ? undefined : 'python3 has no moto.server'),
    start: async () => ({ url: await motoUrl(), stop: async () => {} }),
    defaultClient: false,
  },
];

/** Runs the same rules on our stand-in and on independent ones. A known difference must name a rule that it breaks. */
export function kinesisContract(rules: readonly Rule[], differences: readonly Difference[]): void {
  for (const { peer, rule } of differences) {
    if (!rules.some(({ sentence }) => sentence === rule))
      throw new Error(`${peer}: there is no rule "${rule}"`);
  }
  for (const peer of peers) {
    describe(`Kinesis: ${peer.name}`, function () {
      this.timeout(RULE_MS_MAX);
      runOn(
        peer,
        rules,
        differences.filter((difference) => difference.peer === peer.name),
      );
    });
  }
}

function runOn(peer: Peer, rules: readonly Rule[], differences: readonly Difference[]): void {
  let client: KinesisClient | undefined;
  let stop: (() => Promise<void>) | undefined;
  before(async function () {
    this.timeout(20_000);
    const absent = peer.absent();
    if (absent !== undefined) {
      process.stdout.write(`skipped: Kinesis on ${peer.name}, because ${absent}\n`);
      this.skip();
    }
    const started = await peer.start();
    stop = started.stop;
    client = clientOf(peer, started.url);
  });
  after(async () => {
    client?.destroy();
    await stop?.();
  });
  for (const { sentence, check } of rules) {
    const known = differences.find((difference) => difference.rule === sentence);
    if (!known) it(sentence, () => check(client!));
    else {
      it(`${sentence} — ${peer.name} ${known.does}; AWS: ${known.documented}`, async function () {
        if (known.untried !== true && (await holds(() => check(client!)))) {
          throw new Error(`${peer.name} keeps this rule now: delete the difference`);
        }
        this.skip();
      });
    }
  }
}

function clientOf(peer: Peer, endpoint: string): KinesisClient {
  return new KinesisClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'contract', secretAccessKey: 'contract' },
    // A refusal is what many rules are about; a second try would hide or repeat it.
    maxAttempts: 1,
    ...(peer.defaultClient ? {} : { requestHandler: new NodeHttpHandler() }),
  });
}

/** A rule that is not through in half the time does not hold. */
async function holds(check: () => Promise<void>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => {
    setTimeout(() => resolve(false), RULE_MS_MAX / 2).unref();
  });
  const kept = check().then(
    () => true,
    () => false,
  );
  return Promise.race([kept, late]);
}
