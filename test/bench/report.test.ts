import { expect } from 'chai';
import { atLeast, atMost, percentile, renderTable, report, result } from '../../bench/report.ts';

describe('a benchmark report', () => {
  it('counts the middle run, and keeps every run', () => {
    expect(result('put', 'records/s', [300, 100, 200])).to.deep.equal({
      metric: 'put',
      unit: 'records/s',
      median: 200,
      runs: [300, 100, 200],
    });
    expect(result('put', 'records/s', [4, 1, 3, 2]).median).to.equal(2);
  });

  it('takes percentiles by the nearest rank, so that p99 of a few is the largest', () => {
    expect([percentile([3, 1, 2, 4], 0.5), percentile([3, 1, 2, 4], 0.99)]).to.deep.equal([2, 4]);
    expect(
      percentile(
        Array.from({ length: 200 }, (_, i) => i + 1),
        0.99,
      ),
    ).to.equal(198);
    expect(Number.isNaN(percentile([], 0.5))).to.equal(true);
  });

  it('says what could not be measured', () => {
    expect(report('x', [], [], ['the peer: no Maven']).notMeasured).to.deep.equal(['the peer: no Maven']);
    expect(report('x', [], [])).not.to.have.property('notMeasured');
  });

  it('says of each target whether it is met', () => {
    const rate = result('rate', '1/s', [100]);
    expect([atLeast(rate, 100).met, atLeast(rate, 101).met]).to.deep.equal([true, false]);
    expect([atMost(rate, 100).met, atMost(rate, 99).met]).to.deep.equal([true, false]);
  });

  it('is one document with machine and commit, and a table of at most 80 columns', () => {
    const rate = result(
      'a metric with a name that is far too long for any terminal',
      'records/s',
      [1_234_567],
    );
    const made = report('name', [rate], [atLeast(rate, 2_000_000)]);
    expect(Object.keys(made)).to.deep.equal(['name', 'machine', 'commit', 'results', 'targets']);
    expect(made.machine.cpus).to.be.greaterThan(0);
    const lines = renderTable(made).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).to.be.at.most(80);
    expect(lines.join('\n')).to.include('1,234,567 records/s').and.include('NOT MET');
  });
});
