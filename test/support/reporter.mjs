import mocha from 'mocha';

const { EVENT_RUN_END, EVENT_TEST_PENDING } = mocha.Runner.constants;

/** Mocha's own report, then what was skipped by name, then one line that a machine can read. */
export default class Reporter extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on(EVENT_TEST_PENDING, (test) => skipped.push(test.fullTitle()));
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures } = this.stats;
      const lines = skipped.map((title) => `  skipped: ${title}`);
      if (lines.length > 0) lines.unshift('Skipped is not passed:');
      lines.push(`${passes} passed, ${failures} failed, ${skipped.length} skipped`);
      process.stdout.write(`${lines.join('\n')}\n`);
    });
  }
}
