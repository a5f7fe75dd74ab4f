import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { failedRouteExamples, parseRoutes } from '../../lib/event/routes.ts';
import { failedWindowExamples, parseWindowRules } from '../../lib/event/windows-rules.ts';

describe('flow/routes.yaml', () => {
  const routes = parseRoutes(readFileSync('flow/routes.yaml', 'utf8'));
  it('sends its examples where it says', () => {
    expect(routes.examples).to.have.length.above(0);
    expect(failedRouteExamples(routes)).to.deep.equal([]);
  });
});

describe('flow/windows.yaml', () => {
  const rules = parseWindowRules(readFileSync('flow/windows.yaml', 'utf8'));
  it('puts its examples into the windows that it says', () => {
    expect(rules.examples).to.have.length.above(0);
    expect(failedWindowExamples(rules)).to.deep.equal([]);
  });
});
