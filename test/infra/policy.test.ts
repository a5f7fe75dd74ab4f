import { expect } from 'chai';
import { networkRules } from './policy/network-rules.ts';
import { resourcesOf, type Resource } from './policy/resource.ts';
import { findings } from './policy/rule.ts';
import { runtimeRules } from './policy/runtime-rules.ts';
import { storageRules } from './policy/storage-rules.ts';
import { mirrorOrSkip } from './support/mirror.ts';
import { planOf } from './support/plan.ts';
import { platformStack } from './support/stack.ts';

const rules = [...storageRules, ...networkRules, ...runtimeRules];

describe('the policy checklist on the plan of prod', function () {
  this.timeout(300_000);
  let resources: readonly Resource[] = [];

  before(async function () {
    const pluginDir = mirrorOrSkip(this as unknown as Mocha.Context);
    resources = resourcesOf((await planOf('prod', pluginDir)).plan);
  });

  for (const rule of rules) {
    const title = `${rule.ids.join(' ')}: every ${rule.type} must ${rule.must}`;
    it(title, () => {
      expect(
        resources.some(({ type }) => type === rule.type),
        `no ${rule.type} in the plan`,
      ).to.equal(true);
      expect(findings(rule, resources)).to.deep.equal([]);
    });

    it(`${rule.ids.join(' ')}: is seen to fail when spoilt (${rule.type})`, () => {
      expect(findings(rule, rule.spoil(resources))).not.to.deep.equal([]);
    });

    for (const address of Object.keys(rule.accepted ?? {})) {
      it(`${rule.ids.join(' ')}: the exception of ${address} is still needed`, () => {
        const excepted = resources.filter((resource) => resource.address === address);
        expect(excepted.map((resource) => rule.holds(resource, resources))).to.deep.equal([false]);
      });
    }
  }

  it('CKV_AWS_41: the provider holds no keys', () => {
    expect(JSON.stringify(platformStack().provider)).not.to.match(/access_key|secret_key|token/);
  });
});
