import { messageOf } from '../../lib/runtime/errors.ts';
import { FAULT_VERBS, type Fault } from './control/faults.ts';
import { ServiceError } from './errors.ts';
import type { Call } from './operations/call.ts';
import { fraction, integer, oneOf, optional, parse, shape, text } from './validation/rules.ts';
import type { Exchange } from './wire/exchange.ts';

const JSON_TYPE = 'application/json';
const FAULTS_PATH = '/_weir/faults';
/** A client's own deadline ends a request that is delayed for longer. */
const DELAY_MS_MAX = 600_000;

const faultShape = shape({
  verb: oneOf(FAULT_VERBS),
  operation: optional(text({ min: 1 })),
  stream: optional(text({ min: 1 })),
  shardId: optional(text({ min: 1 })),
  probability: optional(fraction),
  count: optional(integer(1, Number.MAX_SAFE_INTEGER)),
  delayMs: optional(integer(0, DELAY_MS_MAX)),
});

/**
 * What is under `/_weir/`: GET health; GET, POST and DELETE faults (`/_weir/faults/ID` for one). POST takes one fault
 * or a list of them and gives back what was armed.
 */
export async function answerAdmin(call: Call, exchange: Exchange): Promise<void> {
  const [path = ''] = exchange.path.split('?');
  if (path === '/_weir/health' && exchange.method === 'GET') return answerJson(exchange, 200, health(call));
  const id = path.startsWith(`${FAULTS_PATH}/`) ? path.slice(FAULTS_PATH.length + 1) : undefined;
  if (path !== FAULTS_PATH && id === undefined)
    return answerJson(exchange, 404, { message: `No ${path} here.` });
  switch (exchange.method) {
    case 'GET':
      return answerJson(exchange, 200, { faults: call.faults.list() });
    case 'DELETE':
      return answerJson(exchange, 200, { cleared: call.faults.clear(id) });
    case 'POST':
      await arm(call, exchange);
      return;
    default:
      return answerJson(exchange, 405, { message: `${exchange.method} is not one of GET, POST, DELETE.` });
  }
}

/** Throws ValidationException or SerializationException. */
export function readFault(input: unknown): Fault {
  const read = parse(faultShape, input);
  return Object.fromEntries(
    Object.entries(read).filter(([, value]) => value !== undefined),
  ) as unknown as Fault;
}

async function arm(call: Call, exchange: Exchange): Promise<void> {
  try {
    const body: unknown = JSON.parse((await exchange.body()).toString());
    const faults = (Array.isArray(body) ? body : [body]).map(readFault);
    answerJson(exchange, 201, { faults: faults.map((fault) => call.faults.add(fault)) });
  } catch (error) {
    if (!(error instanceof ServiceError || error instanceof SyntaxError || error instanceof RangeError))
      throw error;
    answerJson(exchange, 400, { message: messageOf(error) });
  }
}

function health(call: Call): object {
  const streams = call.account.streams(call.nowMs).length;
  return { status: 'ok', service: 'kinesis', streams, heldBytes: call.account.memory.heldBytes };
}

function answerJson(exchange: Exchange, status: number, body: object): void {
  exchange.replyAs(JSON_TYPE, status, JSON.stringify(body));
}
