import { expect } from 'chai';
import { loadMappings, mappingFor } from '../../lib/event/mapping/load-mappings.ts';
import { failedMappingExamples } from '../../lib/event/mapping/mapping-examples.ts';

const mappings = await loadMappings('flow/mappings');

describe('flow/mappings', () => {
  for (const mapping of mappings) {
    it(`${mapping.name}.yaml maps its examples as it says`, async () => {
      expect(mapping.examples).to.have.length.above(1);
      expect(await failedMappingExamples(mapping)).to.deep.equal([]);
    });
  }

  it('are found by the names of files', () => {
    expect(mappingFor('/tmp/zeek-ssl.ndjson.gz', mappings).name).to.equal('zeek-ssl');
    expect(mappingFor('online-retail-2010-12-01_10.csv', mappings).name).to.equal('online-retail');
    expect(() => mappingFor('notes.txt', mappings)).to.throw('choose one with --mapping (apache-access, ');
  });
});
