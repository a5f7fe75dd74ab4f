import { expect } from 'chai';
import { readFault } from '../../../local/kinesis/admin.ts';
import { Faults, FAULTS_MAX } from '../../../local/kinesis/control/faults.ts';

const always = (): number => 0;
const target = { operation: 'PutRecords', stream: 's', shardId: 'shardId-000000000001' };

describe('faults', () => {
  it('strike as often as they were asked to, and then no more', () => {
    const faults = new Faults(always);
    faults.add({ verb: 'throttle', count: 2 });
    const struck = [1, 2, 3].map(() => faults.strike('throttle', target) !== undefined);
    expect(struck).to.deep.equal([true, true, false]);
    expect(faults.list()[0]?.struck).to.equal(2);
  });

  it('strike only the operation, stream and shard that they name', () => {
    const faults = new Faults(always);
    faults.add({ verb: 'throttle', ...target });
    expect(faults.strike('throttle', { ...target, operation: 'GetRecords' })).to.equal(undefined);
    expect(faults.strike('throttle', { ...target, stream: 'other' })).to.equal(undefined);
    expect(faults.strike('throttle', { ...target, shardId: undefined })).to.equal(undefined);
    expect(faults.strike('delay', target)).to.equal(undefined);
    expect(faults.strike('throttle', target)).to.include({ verb: 'throttle' });
  });

  it('strike with their probability', () => {
    const rolls = [0.1, 0.6, 0.4, 0.5];
    const faults = new Faults(() => rolls.shift() ?? 1);
    faults.add({ verb: 'throttle', probability: 0.5 });
    const struck = [1, 2, 3, 4].map(() => faults.strike('throttle', target) !== undefined);
    expect(struck).to.deep.equal([true, false, true, false]);
  });

  it('can be cleared one by one or all together', () => {
    const faults = new Faults(always);
    const first = faults.add({ verb: 'throttle' });
    faults.add({ verb: 'delay', delayMs: 1 });
    expect(faults.clear(first.id)).to.equal(1);
    expect(faults.list().map((fault) => fault.verb)).to.deep.equal(['delay']);
    expect(faults.clear()).to.equal(1);
    expect(faults.strike('delay', target)).to.equal(undefined);
  });

  it('are bounded in number', () => {
    const faults = new Faults(always);
    for (let i = 0; i < FAULTS_MAX; i += 1) faults.add({ verb: 'throttle' });
    expect(() => faults.add({ verb: 'throttle' })).to.throw(RangeError, 'clear some first');
  });

  it('are read strictly: every mistake is named', () => {
    expect(readFault({ verb: 'delay', delayMs: 5 })).to.deep.equal({ verb: 'delay', delayMs: 5 });
    expect(() => readFault({ verb: 'explode', probability: 2, count: 0 })).to.throw(
      /3 validation errors.*'verb'.*'probability'.*'count'/,
    );
  });
});
