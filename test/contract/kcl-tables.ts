import { expect } from 'chai';
import type { Item } from '../../lib/leases/lease-item.ts';
import type { KclTables } from '../../lib/leases/kcl3/kcl-tables.ts';
import { formatWorkerMetrics, parseWorkerMetrics } from '../../lib/leases/kcl3/worker-metrics.ts';
import { failure } from '../support/lease-scene.ts';

export interface KclTablesUnderTest {
  readonly tables: KclTables;
  /** Puts an item behind the adapter's back, into the lease table or into one of the two old ones. */
  readonly plant: (table: 'leases' | 'old-state' | 'old-metrics', item: Item) => Promise<void>;
  readonly createOldTables: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const wallMs = 1_795_175_499_700;

/** What every adapter to the tables of a KCL 3 fleet must do. */
export function kclTablesContract(name: string, open: () => Promise<KclTablesUnderTest>): void {
  describe(`tables of KCL 3: ${name}`, () => {
    let under: KclTablesUnderTest;
    before(async function () {
      this.timeout(20_000);
      under = await open();
    });
    after(async () => under.close());

    it('says that the old tables do not exist', async () => {
      expect(await under.tables.state('legacy-tables', 'Migration3.0')).to.equal('no-table');
      expect(await under.tables.metricsOf('legacy-tables', 'a')).to.equal(undefined);
      expect(await failure(under.tables.legacyMetrics())).to.include({ code: 'lease-table-missing' });
    });

    it('reads how the fleet stands from the lease table', async () => {
      expect(await under.tables.state('lease-table', 'Leader')).to.equal(undefined);
      const item = { leaseKey: 'Leader', entityType: 'LEADER', ownerName: 'java', recordVersionNumber: 'v1' };
      await under.plant('leases', item);
      expect(await under.tables.state('lease-table', 'Leader')).to.deep.equal(item);
    });

    it('publishes metrics in place of the former ones, and withdraws them, as often as it is told', async () => {
      const { tables } = under;
      for (const ms of [wallMs, wallMs + 30_000]) {
        await tables.publish('lease-table', 'a', formatWorkerMetrics('lease-table', 'a', ms));
      }
      const found = await tables.metricsOf('lease-table', 'a');
      expect(found).to.deep.equal({
        leaseKey: 'a',
        entityType: 'WORKER_METRIC_STATS',
        lut: 1_795_175_529,
        sts: {},
        opr: {},
        properties: { library: 'weir' },
        sup: 1,
        slu: 1_795_175_529,
      });
      await tables.withdraw('lease-table', 'a');
      await tables.withdraw('lease-table', 'a');
      expect(await tables.metricsOf('lease-table', 'a')).to.equal(undefined);
    });

    it('never writes over a lease, nor deletes one', async () => {
      const { plant, tables } = under;
      await plant('leases', { leaseKey: 'shard-1', entityType: 'LEASE', leaseCounter: 1 });
      const metrics = formatWorkerMetrics('lease-table', 'shard-1', wallMs);
      expect(await failure(tables.publish('lease-table', 'shard-1', metrics))).to.include({
        code: 'worker-id-taken',
      });
      expect(await failure(tables.withdraw('lease-table', 'shard-1'))).to.include({
        code: 'worker-id-taken',
      });
      expect(await tables.metricsOf('lease-table', 'shard-1')).to.include({ leaseCounter: 1 });
    });

    it('keeps to the old tables where a fleet has them', async () => {
      const { createOldTables, plant, tables } = under;
      await createOldTables();
      expect(await tables.state('legacy-tables', 'Migration3.0')).to.equal(undefined);
      await plant('old-state', { key: 'Migration3.0', cv: 'CLIENT_VERSION_3X' });
      expect(await tables.state('legacy-tables', 'Migration3.0')).to.include({ cv: 'CLIENT_VERSION_3X' });
      await plant('old-metrics', { wid: 'java', lut: 1_795_175_499, sts: {}, opr: {} });
      await tables.publish('legacy-tables', 'a', formatWorkerMetrics('legacy-tables', 'a', wallMs));
      const workers = (await tables.legacyMetrics()).map((item) => parseWorkerMetrics('legacy-tables', item));
      expect(workers).to.have.deep.members([
        { worker: 'java', updatedAtSeconds: 1_795_175_499, ours: false },
        { worker: 'a', updatedAtSeconds: 1_795_175_499, ours: true },
      ]);
      await tables.withdraw('legacy-tables', 'a');
      expect(await tables.metricsOf('legacy-tables', 'a')).to.equal(undefined);
      expect(await tables.metricsOf('lease-table', 'a')).to.equal(undefined);
    });
  });
}
