import { expect } from 'chai';
import type { LeaseTableFault } from '../../lib/leases/lease-table-faults.ts';
import type { LeaseWrite } from '../../lib/leases/lease-writes.ts';
import { createStage, eventsOf, type Stage, type StageWorker, stream } from './support/stage.ts';

const isCheckpoint = ({ set }: LeaseWrite): boolean => /^\d+$/.test(String(set.checkpoint));
const isTake = ({ set }: LeaseWrite): boolean => set.incarnation !== undefined;
const isFinish = ({ set }: LeaseWrite): boolean => set.checkpoint === 'SHARD_END';
const isAssign = ({ set }: LeaseWrite): boolean => set.offer !== undefined;
const isRequest = ({ set }: LeaseWrite): boolean => set.checkpointOwner !== undefined;
const isRelease = ({ remove, set }: LeaseWrite): boolean =>
  remove.includes('leaseOwner') && set.checkpoint === undefined;
const isRenewal = (write: LeaseWrite): boolean =>
  Object.keys(write.set).every((name) => ['leaseCounter', 'writeNonce', 'throughputKBps'].includes(name)) &&
  write.remove.length === 0;

const firstShard = 'shardId-000000000000';
const dropResponse: LeaseTableFault = { type: 'drop-response' };

/** One worker that reads one shard with ten records. */
async function alone(): Promise<{ readonly stage: Stage; readonly a: StageWorker }> {
  const stage = createStage(1);
  const a = stage.start('a');
  await stage.putEach(10, 'r');
  await stage.until('all is delivered', () => stage.audit.undelivered() === 0, 10_000);
  await stage.clock.advance(4_000);
  return { stage, a };
}

function lostBy(...workers: readonly StageWorker[]): readonly string[] {
  return workers.flatMap((worker) =>
    eventsOf(worker, 'lease-lost').map(({ reason }) => `${worker.id} ${reason}`),
  );
}

const counter = ({ table }: Stage): number => Number(table.items.get(firstShard)?.leaseCounter);

describe('scenario 7: a renewal whose response is lost', () => {
  it('keeps the lease, counts once, and delivers nothing again', async () => {
    const { stage, a } = await alone();
    let struckAt = 0;
    const where = (write: LeaseWrite): boolean => {
      if (!isRenewal(write)) return false;
      struckAt ||= Number(write.set.leaseCounter);
      return true;
    };
    a.line.fault({ on: 'update', where, times: 1, fault: dropResponse });
    await stage.until('a renewal is struck', () => struckAt > 0, 10_000);
    await stage.clock.advance(3_000);
    expect(counter(stage)).to.equal(struckAt);
    await stage.clock.advance(60_000);
    expect([lostBy(a), stage.audit.repeated()]).to.deep.equal([[], []]);
    await stage.end();
  });
});

describe('scenario 8: a checkpoint whose response is lost', () => {
  const cases: readonly { readonly what: string; readonly faults: readonly LeaseTableFault[] }[] = [
    { what: 'once', faults: [dropResponse] },
    { what: 'and that of its repetition too', faults: [dropResponse, dropResponse] },
    {
      what: 'because the request lands late, after its repetition',
      faults: [{ type: 'land-late', ms: 2_500 }],
    },
    {
      what: 'because the request lands when the next checkpoint is already written',
      faults: [{ type: 'land-late', ms: 9_000 }],
    },
  ];
  for (const { what, faults } of cases) {
    it(`${what}: the checkpoint stands, the lease is kept, nothing is delivered again`, async () => {
      const { stage, a } = await alone();
      for (const fault of faults) a.line.fault({ on: 'update', where: isCheckpoint, times: 1, fault });
      const last = (): unknown => stage.kinesis.recordsOf(stream, firstShard).at(-1)?.sequenceNumber;
      const saved = (): boolean => stage.table.items.get(firstShard)?.checkpoint === last();
      await stage.putEach(10, 'more');
      await stage.until(
        'the checkpoint is known to stand',
        () => {
          return saved() && eventsOf(a, 'checkpointed').at(-1)?.upTo.sequenceNumber === last();
        },
        10_000,
      );
      await stage.putEach(10, 'yet more');
      await stage.clock.advance(20_000);
      expect(saved()).to.equal(true);
      expect([lostBy(a), stage.audit.undelivered(), stage.audit.repeated()]).to.deep.equal([[], 0, []]);
      expect(eventsOf(a, 'call-failed')).to.have.length(faults.length);
      await stage.end();
    });
  }
});

describe('scenario 9: the response is lost of', function () {
  this.timeout(10_000);

  it('a take: the work of the lease begins once', async () => {
    const stage = createStage(4);
    await stage.putEach(10, 'r');
    const a = stage.start('a');
    a.line.fault({ on: 'update', where: isTake, times: 4, fault: dropResponse });
    await stage.until('all is delivered', () => stage.audit.undelivered() === 0, 15_000);
    await stage.clock.advance(30_000);
    expect(eventsOf(a, 'shard-started')).to.have.length(4);
    expect([lostBy(a), stage.audit.repeated()]).to.deep.equal([[], []]);
    await stage.end();
  });

  it('a release: it is released once, lost never, and another takes it at once', async () => {
    const { stage, a } = await alone();
    a.line.fault({ on: 'update', where: isRelease, times: 1, fault: dropResponse });
    a.stop();
    await stage.until('it has ended', a.ended, 10_000);
    expect(eventsOf(a, 'lease-released')).to.have.length(1);
    expect(lostBy(a)).to.deep.equal([]);
    const b = stage.start('b');
    await stage.until('another has it', () => b.shards().length === 1, 2_000);
    await stage.end();
  });

  it('a hand-off that is asked for and one that is made: each lease has one owner, none is lost', async () => {
    const stage = createStage(4);
    const a = stage.start('a');
    await stage.putEach(10, 'r');
    await stage.clock.advance(5_000);
    const b = stage.start('b');
    b.line.fault({ on: 'update', where: isRequest, times: 2, fault: dropResponse });
    a.line.fault({ on: 'update', where: isAssign, times: 2, fault: dropResponse });
    const shared = (): boolean => a.shards().length === 2 && b.shards().length === 2;
    await stage.until('the leases are shared', shared, 15_000);
    await stage.putEach(10, 'more');
    await stage.clock.advance(20_000);
    expect(shared()).to.equal(true);
    expect(eventsOf(a, 'lease-handed-over')).to.have.length(2);
    expect([lostBy(a, b), stage.audit.undelivered(), stage.audit.repeated()]).to.deep.equal([[], 0, []]);
    await stage.end();
  });

  it('the creation of children, and the end of their parent: each child once, each record once', async () => {
    const { stage, a } = await alone();
    a.line.fault({ on: 'insert', times: 2, fault: dropResponse });
    a.line.fault({ on: 'update', where: isFinish, times: 2, fault: dropResponse });
    stage.kinesis.split(stream, firstShard);
    await stage.putEach(10, 'child');
    await stage.until('the children are read', () => stage.audit.undelivered() === 0, 20_000);
    await stage.clock.advance(20_000);
    expect(eventsOf(a, 'lease-finished')).to.have.length(1);
    expect(eventsOf(a, 'shard-started')).to.have.length(3);
    const others = [...stage.table.items.keys()].filter((leaseKey) => leaseKey !== firstShard);
    expect(others.sort()).to.deep.equal(['shardId-000000000001', 'shardId-000000000002']);
    expect([lostBy(a), stage.audit.repeated()]).to.deep.equal([[], []]);
    await stage.end();
  });
});
