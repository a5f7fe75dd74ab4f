import type { StandIn } from '../../../../local/listen.ts';
import { isMotoThere, motoUrl } from './moto.ts';

/**
 * Where a peer does not do what AWS documents. The rule is tried all the same, must fail, and is shown as skipped with
 * both sentences.
 */
export interface Difference {
  readonly peer: 'ours' | 'moto';
  readonly rule: string;
  readonly does: string;
  readonly documented: string;
}

export interface Contract<Client> {
  readonly service: string;
  /** Starts the stand-in of this repository. */
  readonly ours: () => Promise<Pick<StandIn, 'url' | 'close'>>;
  readonly connect: (config: ClientConfig) => Client;
  readonly differences: readonly Difference[];
  /** Declares the rules. `client` is there once a rule runs. */
  readonly rules: (rule: Rule, client: () => Client) => void;
}

export interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly maxAttempts: number;
}

/** A rule of the service, as a sentence that holds on AWS and on every peer. */
export type Rule = (sentence: string, check: () => Promise<void>) => void;

export const contractRegion = 'eu-central-1';

/** Runs the same rules on our stand-in and, where python has it, on moto. A known difference must name a rule. */
export function contract<Client extends { readonly destroy: () => void }>(suite: Contract<Client>): void {
  describe(`${suite.service}: the stand-in of this repository`, () => runOn(suite, 'ours', suite.ours));
  describe(`${suite.service}: moto`, function () {
    before(function () {
      if (isMotoThere()) return;
      process.stdout.write(`skipped: ${suite.service} on moto, because python3 has no moto.server\n`);
      this.skip();
    });
    runOn(suite, 'moto', async () => ({ url: await motoUrl(), close: async () => {} }));
  });
}

function runOn<Client extends { readonly destroy: () => void }>(
  suite: Contract<Client>,
  peer: Difference['peer'],
  start: Contract<Client>['ours'],
): void {
  let standIn: Awaited<ReturnType<typeof start>>;
  let client: Client;
  before(async () => {
    standIn = await start();
    client = suite.connect({
      endpoint: standIn.url,
      region: contractRegion,
      credentials: { accessKeyId: 'contract', secretAccessKey: 'contract' },
      // A refusal is what many rules are about; a second try would hide or repeat it.
      maxAttempts: 1,
    });
  });
  after(async () => {
    client?.destroy();
    await standIn?.close();
  });
  const unused = new Set(suite.differences.filter((difference) => difference.peer === peer));
  suite.rules(
    (sentence, check) => {
      const known = [...unused].find((difference) => difference.rule === sentence);
      if (known === undefined) return void it(sentence, check);
      unused.delete(known);
      it(`${sentence} — ${peer} ${known.does}; AWS: ${known.documented}`, async function () {
        if (await holds(check)) throw new Error(`${peer} keeps this rule now: delete the difference`);
        this.skip();
      });
    },
    () => client,
  );
  const [stale] = unused;
  if (stale !== undefined) throw new Error(`There is no rule "${stale.rule}" that ${peer} could differ in`);
}

async function holds(check: () => Promise<void>): Promise<boolean> {
  try {
    await check();
    return true;
  } catch {
    return false;
  }
}

export interface Refusal {
  readonly name: string;
  readonly status: number | undefined;
  readonly message: string;
}

/** What a call was refused with. Fails when it was not. */
export async function refusal(call: Promise<unknown>): Promise<Refusal> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    const { name, message, $metadata } = error as Error & {
      readonly $metadata?: { readonly httpStatusCode?: number };
    };
    return { name, message, status: $metadata?.httpStatusCode };
  }
  throw new Error(`The call was not refused: ${JSON.stringify(answer)}`);
}

/** The name of the error a call was refused with. */
export async function refusalName(call: Promise<unknown>): Promise<string> {
  return (await refusal(call)).name;
}

let names = 0;

/** A name that no other rule uses: one moto serves them all. */
export function uniqueName(what: string): string {
  names += 1;
  return `contract-${what}-${names}`;
}
