/** Every table of the platform, with every key and index. The deployment and the laptop create exactly these. */
export interface TableDefinition {
  readonly what: string;
  readonly hash: string;
  readonly range?: string;
  /** Types of the key attributes of the table and its indexes. */
  readonly keys: Readonly<Record<string, 'S' | 'N' | 'B'>>;
  readonly indexes: readonly IndexDefinition[];
  /** The attribute that holds the time of expiry, epoch seconds. */
  readonly ttl?: string;
  readonly pointInTimeRecovery: boolean;
}

export interface IndexDefinition {
  readonly name: string;
  readonly hash: string;
  readonly range?: string;
  readonly projection: 'KEYS_ONLY' | 'ALL' | { readonly include: readonly string[] };
}

/** Lease tables have the item format of the Java KCL; the first index is the one that KCL 3.x expects. */
const leases = (consumer: string) =>
  ({
    what: `leases and checkpoints of the ${consumer}`,
    hash: 'leaseKey',
    keys: { leaseKey: 'S', leaseOwner: 'S', pulseGroup: 'S', pulse: 'S' },
    indexes: [
      { name: 'LeaseOwnerToLeaseKeyIndex', hash: 'leaseOwner', range: 'leaseKey', projection: 'KEYS_ONLY' },
      { name: 'PulseIndex', hash: 'pulseGroup', range: 'pulse', projection: { include: ['leaseCounter'] } },
    ],
    pointInTimeRecovery: true,
  }) as const satisfies TableDefinition;

export const tables = {
  'router-leases': leases('router'),
  'event-store-leases': leases('event-store'),
  'archiver-leases': leases('archiver'),
  'aggregator-leases': leases('aggregator'),
  'alerter-leases': leases('alerter'),
  'detector-leases': leases('detector'),
  events: {
    what: 'every event, by id, by city and by type; see lib/stores/events.ts',
    hash: 'event_id',
    keys: { event_id: 'S', city: 'S', type: 'S', time_id: 'S' },
    indexes: [
      { name: 'by-city', hash: 'city', range: 'time_id', projection: 'KEYS_ONLY' },
      { name: 'by-type', hash: 'type', range: 'time_id', projection: 'KEYS_ONLY' },
    ],
    ttl: 'expires_at',
    pointInTimeRecovery: true,
  },
  windows: {
    what: 'counts of windows, packed per shard and hour, marks and watermarks; see lib/stores/window-items.ts',
    hash: 'pk',
    range: 'sk',
    keys: { pk: 'S', sk: 'S' },
    indexes: [],
    pointInTimeRecovery: true,
  },
  alerts: {
    what: 'events of severity high and critical, by city and by severity; see lib/stores/alerts.ts',
    hash: 'city',
    range: 'time_id',
    keys: { city: 'S', time_id: 'S', severity: 'S' },
    indexes: [{ name: 'by-severity', hash: 'severity', range: 'time_id', projection: 'ALL' }],
    ttl: 'expires_at',
    pointInTimeRecovery: true,
  },
  dedupe: {
    what: 'ids that the router has routed within the dedupe horizon, one item per batch',
    hash: 'shard',
    range: 'last_position',
    keys: { shard: 'S', last_position: 'S' },
    indexes: [],
    ttl: 'expires_at',
    pointInTimeRecovery: false,
  },
  'dead-letters': {
    what: 'records that could not be handled, with their bytes and the reason; see lib/stores/dead-letters.ts',
    hash: 'consumer',
    range: 'position',
    keys: { consumer: 'S', position: 'S' },
    indexes: [],
    pointInTimeRecovery: true,
  },
  ledger: {
    what: 'tallies per consumer and shard, written hourly and at the end of a shard',
    hash: 'consumer',
    range: 'entry',
    keys: { consumer: 'S', entry: 'S' },
    indexes: [],
    pointInTimeRecovery: true,
  },
  idempotency: {
    what: 'answers that ingest gave to requests with an Idempotency-Key',
    hash: 'key',
    keys: { key: 'S' },
    indexes: [],
    ttl: 'expires_at',
    pointInTimeRecovery: false,
  },
} as const satisfies Readonly<Record<string, TableDefinition>>;

export type TableName = keyof typeof tables;

export const tableNames = Object.keys(tables) as readonly TableName[];
