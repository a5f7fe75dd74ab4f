import { expect } from 'chai';
import { createDynamoLeaseStore } from '../../../lib/leases/dynamo-lease-table.ts';
import { wholeTable } from '../../../lib/leases/lease-store.ts';
import { createLeaseTable, leaseTableInput } from '../../../lib/leases/lease-table.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { tables } from '../../../lib/stores/tables.ts';
import { tableInput } from '../../../local/seeding/tables.ts';
import { startTables } from '../../support/dynalite-tables.ts';

describe('a lease table that a worker makes', () => {
  it('is the one that is provisioned', () => {
    expect(leaseTableInput('leases')).to.deep.equal(tableInput('leases', tables['router-leases']));
  });

  it('is made once, however many workers want it, and can be used when they go on', async () => {
    const server = await startTables([]);
    const make = (): Promise<void> => createLeaseTable(server.client, 'leases', systemClock);
    await Promise.all([make(), make(), make()]);
    await make();
    const store = createDynamoLeaseStore({ client: server.client, tableName: 'leases', requestMs: 1_000 });
    expect(await store.ownedBy('nobody')).to.deep.equal([]);
    for await (const page of store.list(wholeTable)) expect(page).to.deep.equal([]);
    await server.close();
  });
});
