import type { Clock } from '../../lib/runtime/clock.ts';

/** Chances of what happens to a call, each in [0, 1]. */
export interface Weather {
  readonly dropRequest: number;
  readonly dropResponse: number;
  /** The request is carried out long after its sender has given up on it. */
  readonly late: number;
  readonly throttle: number;
  readonly slow: number;
}

export const fairWeather: Weather = { dropRequest: 0, dropResponse: 0, late: 0, throttle: 0, slow: 0.1 };

export const storms: readonly Weather[] = [
  fairWeather,
  { ...fairWeather, dropResponse: 0.3 },
  { ...fairWeather, dropRequest: 0.15, late: 0.15 },
  { ...fairWeather, throttle: 0.4 },
  { dropRequest: 0.1, dropResponse: 0.2, late: 0.2, throttle: 0.1, slow: 0.5 },
];

/** What lies between one process and the world. */
export interface Line {
  /** The process's own clock: a frozen process gets no answers. */
  readonly own: Clock;
  /** The world's clock: what was sent arrives, whatever becomes of its sender. */
  readonly world: Clock;
  readonly random: () => number;
  readonly weather: () => Weather;
  readonly cut: () => boolean;
}

export interface LineErrors {
  readonly unreachable: (what: string) => Error;
  readonly throttled: () => Error;
}

/** `work` is what the other side does. */
export type Call = <T>(work: () => Promise<T>) => Promise<T>;

export const requestMs = 1_500;
const lateMs = 8_000;
const slowMs = 300;

/** The way to something across the network: calls may be lost, late, slow or refused on it. */
export function faultyLine(line: Line, errors: LineErrors): Call {
  const timeout = async (what: string): Promise<never> => {
    await line.own.sleep(requestMs);
    throw errors.unreachable(`simulated: ${what}`);
  };
  return async (work) => {
    const { dropRequest, dropResponse, late, throttle, slow } = line.weather();
    let chance = line.random();
    const strikes = (p: number): boolean => {
      chance -= p;
      return chance < 0;
    };
    if (line.cut() || strikes(dropRequest)) return timeout('request dropped');
    if (strikes(dropResponse)) {
      await work();
      return timeout('response dropped');
    }
    if (strikes(late)) {
      void line.world.sleep(line.random() * lateMs).then(work);
      return timeout('request late');
    }
    if (strikes(throttle)) throw errors.throttled();
    if (!strikes(slow)) return work();
    await line.world.sleep(line.random() * slowMs);
    const result = await work();
    await line.own.sleep(line.random() * slowMs);
    return result;
  };
}
