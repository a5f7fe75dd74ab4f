import { type Clock, systemClock } from './clock.ts';
import { type Config, readConfig } from './config.ts';
import { ConfigError } from './errors.ts';
import { type HttpServer, type Route, startHttp } from './http.ts';
import { createLog, type Log, type LogLevel } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { commonSettings, ServiceDefinition } from './service.ts';

/** Exit codes: 0 drained and stopped, 1 failed, 2 could not start with these settings. */
const exit = { stopped: 0, failed: 1, usage: 2 } as const;

export interface ServiceContext<S extends typeof commonSettings> {
  readonly config: Config<S>;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

/** What a service's wiring returns. */
export interface Running {
  /** The API, beside /healthz, /readyz and /metrics which every service has. */
  readonly routes?: readonly Route[];
  /** Runs until `signal` aborts, then drains and resolves. Absent: the service only answers requests. */
  readonly run?: (signal: AbortSignal) => Promise<void>;
  /** Why the service cannot take work now; undefined: ready. */
  readonly unready?: () => string | undefined;
  /** After `run` and the last request: flush what is left. */
  readonly close?: () => Promise<void>;
}

/**
 * The whole life of a service process: settings, log, metrics, health, the work, and the stop. The first SIGTERM or
 * SIGINT (or the end of the supervisor that started us) drains within STOP_TIMEOUT_MS; the second exits at once.
 * A failure that nobody handled ends the process: leases make that safe, and the platform restarts it.
 */
export async function runService<S extends typeof commonSettings>(
  definition: ServiceDefinition<S>,
  wire: (context: ServiceContext<S>) => Promise<Running>,
): Promise<void> {
  const config = configOrExit(definition);
  const common = config as Config<typeof commonSettings>;
  const log = createLog(common.LOG_LEVEL as LogLevel, { service: definition.name });
  const metrics = createMetrics({ service: definition.name });
  const stop = stopSignal(log, common.STOP_TIMEOUT_MS);
  process.on('uncaughtException', (error) => die(log, 'uncaught error', error));
  process.on('unhandledRejection', (error) => die(log, 'unhandled rejection', error));
  try {
    const running = await wire({ config, log, metrics, clock: systemClock, random: Math.random });
    const http = await startHttp({
      host: common.HOST,
      port: common.PORT,
      log,
      routes: [...healthRoutes(running, metrics, stop), ...(running.routes ?? [])],
      onAnswer: requestMetrics(metrics),
    });
    log.info('started', { port: http.port });
    // The local supervisor listens on this channel; elsewhere there is none.
    process.send?.({ ports: { http: http.port } });
    await (running.run ? running.run(stop) : untilAborted(stop));
    await close(http, running);
    log.info('stopped');
    process.exit(exit.stopped);
  } catch (error) {
    die(log, 'service failed', error);
  }
}

function configOrExit<S extends typeof commonSettings>(definition: ServiceDefinition<S>): Config<S> {
  try {
    return readConfig(definition.settings, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${definition.name}: ${error.message}\n`);
    process.exit(exit.usage);
  }
}

function stopSignal(log: Log, timeoutMs: number): AbortSignal {
  const controller = new AbortController();
  const begin = (why: string): void => {
    if (controller.signal.aborted) process.exit(exit.failed);
    log.info('stopping', { why });
    setTimeout(() => die(log, 'drain took too long', new Error(`over ${timeoutMs} ms`)), timeoutMs).unref();
    controller.abort();
  };
  process.on('SIGTERM', () => begin('SIGTERM'));
  process.on('SIGINT', () => begin('SIGINT'));
  if (process.connected) process.on('disconnect', () => begin('the supervisor is gone'));
  return controller.signal;
}

function die(log: Log, what: string, error: unknown): never {
  log.error(what, { error });
  process.exit(exit.failed);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function close(http: HttpServer, running: Running): Promise<void> {
  await http.close();
  await running.close?.();
}

function healthRoutes(running: Running, metrics: Metrics, stop: AbortSignal): readonly Route[] {
  return [
    { method: 'GET', path: '/healthz', handle: async () => ({ status: 200, body: { status: 'ok' } }) },
    {
      method: 'GET',
      path: '/readyz',
      handle: async () => {
        const why = stop.aborted ? 'stopping' : running.unready?.();
        return why === undefined
          ? { status: 200, body: { status: 'ready' } }
          : { status: 503, body: { status: 'not ready', why } };
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      handle: async () => ({
        status: 200,
        headers: { 'content-type': metrics.contentType },
        body: await metrics.render(),
      }),
    },
  ];
}

function requestMetrics(metrics: Metrics): (route: string, status: number, tookMs: number) => void {
  const seconds = metrics.histogram(
    'http_request_duration_seconds',
    'Time to answer a request',
    [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    ['route', 'status'],
  );
  return (route, status, tookMs) => seconds.observe({ route, status: String(status) }, tookMs / 1_000);
}
