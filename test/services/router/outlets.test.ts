import { expect } from 'chai';
import { createMemoryRegistry } from '../../../lib/event/schemas.ts';
import { systemClock } from '../../../lib/runtime/clock.ts';
import { createMemoryKinesis } from '../../../lib/streams/memory-kinesis.ts';
import { openOutlets } from '../../../services/router/outlets.ts';
import { sampleEvent } from '../../support/events.ts';

describe('the outlets of the router', () => {
  const kinesis = createMemoryKinesis({ clock: systemClock });
  kinesis.createStream('weir-test-city', 1);
  kinesis.createStream('weir-test-user', 1);
  const ports = { kinesis, registry: createMemoryRegistry(), clock: systemClock, random: () => 0 };
  const streams = {
    city: { what: 'city events', encoding: 'avro' },
    user: { what: 'user events', encoding: 'json' },
  } as const;

  it('write each stream of the rules, under its name at Kinesis and in its encoding', async () => {
    const names = { city: 'weir-test-city', user: 'weir-test-user', unused: 'weir-test-unused' };
    const outlets = await openOutlets(streams, names, ports);
    expect([...outlets.keys()]).to.deep.equal(['city', 'user']);
    const first = (name: string) => outlets.get(name)?.encode(sampleEvent())[0];
    expect(first('city'), 'the header of the schema registry').to.equal(3);
    expect(first('user')).to.equal('{'.charCodeAt(0));
  });

  it('name every stream that the installation does not have', async () => {
    const failed = await openOutlets(streams, {}, ports).then(
      () => 'opened',
      (error: Error) => error.message,
    );
    expect(failed).to.include('city').and.to.include('user').and.to.include('deploy');
  });
});
