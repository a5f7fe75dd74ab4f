import { ConfigError } from '../lib/runtime/errors.ts';
import { catalogue, type ServiceName, serviceNames } from '../services/catalogue.ts';

/** Ports of a local platform, by their distance from `--port-base`. Workers take any free port. */
export const portOffsets = {
  query: 0,
  ingest: 1,
  kinesis: 2,
  dynamodb: 3,
  s3: 4,
  sqs: 5,
  glue: 6,
} as const;

export type NamedPort = keyof typeof portOffsets;

export interface LocalOptions {
  /** 0: any free ports, for tests. */
  readonly portBase: number;
  /** Undefined: a temporary folder that is removed at the end. */
  readonly dataDir: string | undefined;
  readonly inboundShards: number;
  readonly outboundShards: number;
  /** Processes per worker service, default 1. */
  readonly scale: Readonly<Partial<Record<ServiceName, number>>>;
  /** Settings of services that differ from the local defaults: service → variable → text. */
  readonly settings: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;
}

export const defaultOptions: LocalOptions = {
  portBase: 4500,
  dataDir: undefined,
  inboundShards: 2,
  outboundShards: 1,
  scale: {},
  settings: {},
};

/** More than this needs more memory than a laptop has to spare. */
const maxProcessesPerService = 8;
const maxLocalShards = 64;

/** Reports every problem of the options at once, each with the flag that mends it. */
export function checkOptions(options: LocalOptions): void {
  const problems = [
    ...inRange('--port-base', options.portBase, 0, 65_500),
    ...inRange('--inbound-shards', options.inboundShards, 1, maxLocalShards),
    ...inRange('--outbound-shards', options.outboundShards, 1, maxLocalShards),
    ...Object.entries(options.scale).flatMap(([name, count]) => scaleProblems(name, count)),
    ...Object.entries(options.settings).flatMap(([name, settings]) => settingProblems(name, settings)),
  ];
  if (problems.length > 0)
    throw new ConfigError('The local platform cannot start with these options', problems);
}

function inRange(flag: string, value: number, min: number, max: number): readonly string[] {
  const fits = Number.isInteger(value) && value >= min && value <= max;
  return fits ? [] : [`${flag} ${value}: give a whole number, ${min} … ${max}`];
}

function isService(name: string): name is ServiceName {
  return (serviceNames as readonly string[]).includes(name);
}

function scaleProblems(name: string, count: number): readonly string[] {
  if (!isService(name))
    return [`--scale ${name}: there is no such service; give one of ${serviceNames.join(', ')}`];
  if (catalogue[name].kind === 'http' && count !== 1)
    return [`--scale ${name}: it has a fixed port, so there is one`];
  return inRange(`--scale ${name}`, count, 1, maxProcessesPerService);
}

function settingProblems(name: string, settings: Readonly<Record<string, string>>): readonly string[] {
  if (!isService(name))
    return [`--set ${name}: there is no such service; give one of ${serviceNames.join(', ')}`];
  const known = Object.keys(catalogue[name].settings);
  return Object.keys(settings)
    .filter((setting) => !known.includes(setting))
    .map((setting) => `--set ${name}.${setting}: ${name} has no such setting; it has ${known.join(', ')}`);
}
