import { buildApp } from 'fauxqs';
import { isAddressInUse, portInUse, type StandIn } from './listen.ts';

export interface SqsOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/**
 * SQS by fauxqs, in memory: queues and messages are gone when it closes.
 * @throws PlatformError `port-in-use`
 */
export async function startSqs(options: SqsOptions): Promise<StandIn> {
  const app = buildApp({ logger: false });
  const urls = queueUrls();
  app.addHook('preHandler', async (request) => urls.inward(request.body));
  app.addHook('preSerialization', async (request, _reply, payload) =>
    urls.outward(payload, request.headers.host ?? ''),
  );
  try {
    await app.listen({ port: options.port, host: options.host });
  } catch (error) {
    throw isAddressInUse(error) ? portInUse({ ...options, what: 'SQS' }, error) : error;
  }
  const port = Number(new URL(app.listeningOrigin).port);
  return { url: `http://${options.host}:${port}`, port, close: () => app.close() };
}

/**
 * Fauxqs gives queues URLs on `sqs.REGION.localhost`, which many machines cannot resolve, and finds a queue by its
 * whole URL only; the SDK, when its endpoint comes from the environment, connects to the host of the queue's URL.
 * So answers name the host that the client asked, and requests are turned back.
 */
function queueUrls() {
  const innerByPath = new Map<string, string>();

  function toOuter(inner: string, host: string): string {
    const { pathname } = new URL(inner);
    innerByPath.set(pathname, inner);
    return `http://${host}${pathname}`;
  }

  return {
    inward(body: unknown): void {
      if (!isRecord(body) || typeof body.QueueUrl !== 'string' || !URL.canParse(body.QueueUrl)) return;
      body.QueueUrl = innerByPath.get(new URL(body.QueueUrl).pathname) ?? body.QueueUrl;
    },
    outward(payload: unknown, host: string): unknown {
      if (!isRecord(payload)) return payload;
      if (typeof payload.QueueUrl === 'string')
        return { ...payload, QueueUrl: toOuter(payload.QueueUrl, host) };
      if (!Array.isArray(payload.QueueUrls)) return payload;
      return { ...payload, QueueUrls: payload.QueueUrls.map((url: string) => toOuter(url, host)) };
    },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
