import { expect } from 'chai';
import fc from 'fast-check';
import { handovers, type Plan, plan, type PlanInput, type PlannedLease } from '../../../lib/leases/plan.ts';

function lease(leaseKey: string, owner?: string, over: Partial<PlannedLease> = {}): PlannedLease {
  const movable = owner !== undefined;
  const checkpoint = { type: 'TRIM_HORIZON' } as const;
  return { leaseKey, owner, freeForMs: 0, movable, settled: true, throughputKBps: 0, checkpoint, ...over };
}

function leases(owners: Readonly<Record<string, number>>, over: Partial<PlannedLease> = {}): PlannedLease[] {
  return Object.entries(owners).flatMap(([owner, count]) =>
    Array.from({ length: count }, (_, i) =>
      lease(`${owner}-${i}`, owner === 'nobody' ? undefined : owner, over),
    ),
  );
}

function planFor(
  me: string,
  workers: readonly string[],
  all: readonly PlannedLease[],
  over: Partial<PlanInput> = {},
): Plan {
  const { takes, asks, waiting } = plan({
    me,
    workers,
    leases: all,
    maxLeases: Infinity,
    graceMs: 2_000,
    ...over,
  });
  return { takes: takes.filter(({ to }) => to === me), asks: asks.filter(({ to }) => to === me), waiting };
}

/** Every worker carries out its part of its own plan, as if all looked at the same moment. */
function round(workers: readonly string[], all: readonly PlannedLease[]): PlannedLease[] {
  const owner = new Map(all.map((l) => [l.leaseKey, l.owner]));
  const claimed = new Set<string>();
  for (const me of workers) {
    const { takes, asks } = planFor(me, workers, all);
    for (const { leaseKey: key } of [...takes, ...asks]) {
      if (claimed.has(key)) throw new Error(`${key} is wanted by two workers`);
      claimed.add(key);
      owner.set(key, me);
    }
  }
  return all.map((l) => ({ ...l, owner: owner.get(l.leaseKey), movable: true }));
}

function counts(workers: readonly string[], all: readonly PlannedLease[]): number[] {
  return workers.map((worker) => all.filter((l) => l.owner === worker).length);
}

describe('plan of who takes what', () => {
  const cases: readonly {
    readonly rule: string;
    readonly plan: Plan;
    readonly takes: number;
    readonly asks: number;
    readonly waiting?: number;
  }[] = [
    { rule: 'a worker alone takes all', plan: planFor('a', ['a'], leases({ nobody: 5 })), takes: 5, asks: 0 },
    {
      rule: 'two workers take half each',
      plan: planFor('a', ['a', 'b'], leases({ nobody: 6 })),
      takes: 3,
      asks: 0,
    },
    {
      rule: 'a worker that joins asks for its share, several in one round',
      plan: planFor('b', ['a', 'b'], leases({ a: 8 })),
      takes: 0,
      asks: 4,
    },
    {
      rule: 'a difference of one is left alone',
      plan: planFor('b', ['a', 'b'], leases({ a: 3, b: 2 })),
      takes: 0,
      asks: 0,
    },
    {
      rule: 'a worker that has enough asks for nothing',
      plan: planFor('a', ['a', 'b'], leases({ a: 8 })),
      takes: 0,
      asks: 0,
    },
    {
      rule: 'a lease on its way is not asked for again',
      plan: planFor('b', ['a', 'b'], leases({ a: 8 }, { movable: false })),
      takes: 0,
      asks: 0,
    },
    {
      rule: 'nothing is moved while a worker that goes still has leases to give away',
      plan: planFor('b', ['a', 'b'], leases({ a: 8, gone: 1 })),
      takes: 0,
      asks: 0,
    },
    {
      rule: 'maxLeases is kept, and what stays free is counted',
      plan: planFor('a', ['a'], leases({ nobody: 5 }), { maxLeases: 2 }),
      takes: 2,
      asks: 0,
      waiting: 3,
    },
    {
      rule: 'what another should have taken is taken after the grace',
      plan: planFor('a', ['a', 'b'], leases({ nobody: 6 }, { freeForMs: 2_000 })),
      takes: 6,
      asks: 0,
    },
    {
      rule: 'one busy shard weighs as much as several idle ones',
      plan: planFor('b', ['a', 'b'], [lease('hot', 'a', { throughputKBps: 1_000 }), ...leases({ a: 3 })]),
      takes: 0,
      asks: 1,
    },
    {
      rule: 'leases that nobody measures weigh as much as the mean of those that are measured',
      plan: planFor(
        'b',
        ['a', 'b'],
        [
          ...leases({ a: 6 }, { throughputKBps: undefined }),
          lease('mine-0', 'b', { throughputKBps: 900 }),
          lease('mine-1', 'b', { throughputKBps: 100 }),
        ],
      ),
      takes: 0,
      asks: 2,
    },
    {
      rule: 'traffic alone moves nothing before an owner has settled',
      plan: planFor(
        'b',
        ['a', 'b'],
        [
          lease('hot', 'a', { throughputKBps: 900, settled: false }),
          lease('warm', 'a', { throughputKBps: 500, settled: false }),
          lease('cold', 'b', { settled: false }),
        ],
      ),
      takes: 0,
      asks: 0,
    },
  ];
  for (const { rule, plan: made, takes, asks, waiting = 0 } of cases) {
    it(rule, () => {
      expect([made.takes.length, made.asks.length, made.waiting]).to.deep.equal([takes, asks, waiting]);
    });
  }

  it('moves nothing for the differences of traffic that is hardly there', () => {
    const quiet = [0.000_7, 0.000_01, 0.000_01, 0.004, 0.01, 3].map((throughputKBps, i) =>
      lease(`s${i}`, i < 3 ? 'a' : 'b', { throughputKBps }),
    );
    expect(planFor('a', ['a', 'b'], quiet)).to.deep.equal({ takes: [], asks: [], waiting: 0 });
  });

  it('takes what is furthest back where some have to wait, and what is heaviest where there is room for all', () => {
    const position = (n: number) =>
      ({ type: 'POSITION', sequenceNumber: String(n), subSequenceNumber: 0 }) as const;
    const free = [
      lease('new', undefined, { checkpoint: position(30), throughputKBps: 90 }),
      lease('old', undefined, { checkpoint: position(4), throughputKBps: 1 }),
      lease('middle', undefined, { checkpoint: position(20), throughputKBps: 9 }),
    ];
    const taken = (maxLeases: number) =>
      planFor('a', ['a'], free, { maxLeases }).takes.map(({ leaseKey }) => leaseKey);
    expect(taken(2)).to.deep.equal(['old', 'middle']);
    expect(taken(3)).to.deep.equal(['new', 'middle', 'old']);
  });

  it('distributes a stopping worker’s leases over its peers, the lighter first', () => {
    const all = leases({ a: 4, b: 3, c: 1 });
    const targets = [...handovers(all, 'a', ['b', 'c']).values()];
    expect(targets.filter((to) => to === 'c')).to.have.length(3);
    expect(targets.filter((to) => to === 'b')).to.have.length(1);
    expect(handovers(all, 'a', []).size).to.equal(0);
  });

  const fleets = fc
    .record({
      workers: fc.integer({ min: 1, max: 8 }),
      owners: fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 60 }),
      traffic: fc.array(fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }), {
        minLength: 60,
        maxLength: 60,
      }),
    })
    .map(({ workers: n, owners, traffic }) => {
      const workers = Array.from({ length: n }, (_, i) => `w${i}`);
      const all = owners.map((o, i) => lease(`s${i}`, workers[o], { throughputKBps: traffic[i] }));
      return { workers, all, idle: all.map((l) => ({ ...l, throughputKBps: 0 })) };
    });

  it('never has two workers want one lease, and leaves none free (law)', () => {
    fc.assert(
      fc.property(fleets, ({ workers, all }) => {
        expect(round(workers, all).every((l) => l.owner !== undefined)).to.equal(true);
      }),
    );
  });

  it('is even by count after one round where nothing was measured (law)', () => {
    fc.assert(
      fc.property(fleets, ({ workers, idle }) => {
        const after = counts(workers, round(workers, idle));
        expect(Math.max(...after) - Math.min(...after)).to.be.at.most(1);
      }),
    );
  });

  it('has nothing more to do after two rounds, whatever the traffic (law)', () => {
    fc.assert(
      fc.property(fleets, ({ workers, all }) => {
        const settled = round(workers, round(workers, all));
        for (const me of workers) {
          const { takes, asks } = planFor(me, workers, settled);
          expect([...takes, ...asks]).to.deep.equal([]);
        }
      }),
    );
  });

  it('does not answer small changes of traffic with moves (law)', () => {
    fc.assert(
      fc.property(fleets, fc.integer({ min: -20, max: 20 }), ({ workers, all }, percent) => {
        const settled = round(workers, round(workers, all));
        const first = settled[0];
        if (first === undefined) return;
        const [changed, ...rest] = settled;
        const other = { ...first, throughputKBps: (changed?.throughputKBps ?? 0) * (1 + percent / 100) };
        const moves = workers.flatMap((me) => planFor(me, workers, [other, ...rest]).asks);
        expect(moves.length).to.be.at.most(2);
      }),
    );
  });
});
