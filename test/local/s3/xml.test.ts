import { expect } from 'chai';
import fc from 'fast-check';
import { S3Error } from '../../../local/s3/errors.ts';
import { parseXml, xmlDocument } from '../../../local/s3/xml.ts';

const trouble = fc.constantFrom(
  'a',
  '&',
  '<',
  '>',
  '"',
  "'",
  ';',
  '#',
  ' ',
  '\n',
  '\r',
  '\u0001',
  '\u0085',
  'é',
  '💥',
);

describe('XML of S3', () => {
  it('reads back every text that it wrote', () => {
    fc.assert(
      fc.property(fc.string({ unit: trouble }), (text) => {
        const document = xmlDocument('Delete', { Object: [{ Key: text }, { Key: 'b' }] });
        const keys = parseXml(document, 'Delete')
          .children('Object')
          .map((object) => object.child('Key'));
        expect(keys).to.deep.equal([text, 'b']);
      }),
    );
  });

  it('reads what other clients write: white space, prefixes, attributes, comments, references', () => {
    const document = `<?xml version="1.0"?>
      <!-- all of it --> <s3:Delete xmlns:s3="x" a="1">
        <s3:Object><s3:Key>a&amp;b&#x2F;&#99;</s3:Key></s3:Object><Quiet/>
      </s3:Delete>`;
    const found = parseXml(document.trim(), 'Delete');
    expect(found.children('Object')[0]?.child('Key')).to.equal('a&b/c');
    expect(found.child('Quiet')).to.equal('');
    expect(found.child('None')).to.equal(undefined);
  });

  for (const document of [
    '',
    'text',
    '<Delete>',
    '<Delete></Other>',
    '<Other/>',
    '<Delete/><Delete>',
    '</Delete>',
  ]) {
    it(`refuses ${document === '' ? 'nothing' : document}`, () => {
      expect(() => parseXml(document, 'Delete'))
        .to.throw(S3Error)
        .with.property('code', 'MalformedXML');
    });
  }
});
