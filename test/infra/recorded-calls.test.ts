import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { grantsOf, inWords } from '../../scripts/image/granted.ts';
import { localNames } from '../../local/names.ts';
import { serviceNames } from '../../services/catalogue.ts';
import { uncalled } from './support/uncalled.ts';

/** Written by `npm run image:check -- --record`: what the compiled services called when events went through them. */
const recorded = JSON.parse(readFileSync('test/infra/recorded-calls.json', 'utf8')) as Readonly<
  Record<string, readonly string[]>
>;

describe('the calls that services were seen to make', () => {
  it('are of every service', () => {
    expect(recorded).to.have.all.keys(...serviceNames);
    for (const service of serviceNames) expect(recorded[service], service).to.have.length.above(1);
  });

  for (const service of serviceNames) {
    it(`${service}: are all granted, each on the thing it was made on`, () => {
      const granted = grantsOf(service);
      expect(recorded[service]?.filter((call) => !granted.includes(call))).to.deep.equal([]);
    });

    it(`${service}: are none of those that it is said never to make`, () => {
      const said = Object.keys(uncalled[service]);
      const actions = (recorded[service] ?? []).map((call) => call.split(' ')[0] ?? '');
      expect(said.filter((action) => actions.includes(action))).to.deep.equal([]);
    });
  }

  it('are compared thing by thing: a right on one table is none on another', () => {
    const names = localNames(['city'], 'http://sqs/0/weir-local-bus');
    const call = { action: 'dynamodb:PutItem', resources: ['weir-local-alerts'] };
    expect(inWords(call, names)).to.deep.equal(['dynamodb:PutItem on table:alerts']);
    expect(grantsOf('router'))
      .to.include('dynamodb:PutItem on table:dedupe')
      .and.not.include(inWords(call, names)[0]);
  });
});
