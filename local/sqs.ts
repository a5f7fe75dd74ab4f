import { buildApp, type BuildAppOptions } from 'fauxqs';
import { isAddressInUse, portInUse, type StandIn } from './listen.ts';

export interface SqsOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/**
 * SQS by fauxqs, in memory: queues and messages are gone when it closes. A queue's URL has the address that the
 * client asked for it, since the SDK connects to the host of the URL when its endpoint comes from the environment.
 * @throws PlatformError `port-in-use`
 */
export async function startSqs(options: SqsOptions): Promise<StandIn> {
  const app = buildApp({ logger: false, stores: await stores() });
  try {
    await app.listen({ port: options.port, host: options.host });
  } catch (error) {
    throw isAddressInUse(error) ? portInUse({ ...options, what: 'SQS' }, error) : error;
  }
  const port = Number(new URL(app.listeningOrigin).port);
  return { url: `http://${options.host}:${port}`, port, close: () => app.close() };
}

type Stores = NonNullable<BuildAppOptions['stores']>;

/** Parts of fauxqs 1.9 that its package does not export. */
interface Internals {
  readonly SqsStore: new () => Stores['sqsStore'];
  readonly SnsStore: new () => Stores['snsStore'];
  readonly S3Store: new () => Stores['s3Store'];
  readonly INVALID_MESSAGE_BODY_CHAR: RegExp;
}

/** What no message may hold (SQS API reference, SendMessage). Fauxqs itself also refuses everything above U+FFFF. */
const invalidCharacter = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

async function stores(): Promise<Stores> {
  const [sqs, sns, s3, types] = await Promise.all(
    ['sqs/sqsStore.js', 'sns/snsStore.js', 's3/s3Store.js', 'sqs/sqsTypes.js'].map(importInternal),
  );
  const { SqsStore, SnsStore, S3Store, INVALID_MESSAGE_BODY_CHAR } = {
    ...sqs,
    ...sns,
    ...s3,
    ...types,
  } as Internals;
  INVALID_MESSAGE_BODY_CHAR.test = (text) => invalidCharacter.test(text);
  const sqsStore = new SqsStore();
  // Otherwise it is `sqs.REGION.localhost`, which many machines cannot resolve.
  sqsStore.host = '';
  return { sqsStore, snsStore: new SnsStore(), s3Store: new S3Store() };
}

async function importInternal(path: string): Promise<Partial<Internals>> {
  return (await import(new URL(path, import.meta.resolve('fauxqs')).href)) as Partial<Internals>;
}
