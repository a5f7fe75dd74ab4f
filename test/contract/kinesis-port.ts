import { fanOut } from './kinesis/fan-out.ts';
import { puts } from './kinesis/puts.ts';
import { reads } from './kinesis/reads.ts';
import { shardEnds } from './kinesis/shard-ends.ts';
import { streams } from './kinesis/streams.ts';
import type { KinesisUnderTest, Lack, Rule, Skip } from './kinesis/support.ts';

/** The rules that every adapter of the Kinesis port keeps. */
export function kinesisPortContract(
  name: string,
  start: () => Promise<KinesisUnderTest | Skip>,
  lacks: readonly Lack[] = [],
): void {
  describe(`Kinesis port: ${name}`, function () {
    // Another process on a busy machine may take its time.
    this.timeout(30_000);
    let under: KinesisUnderTest | undefined;
    before(async function () {
      const started = await start();
      if (!('skip' in started)) under = started;
      else {
        process.stdout.write(`    skipped: ${started.skip}\n`);
        this.skip();
      }
    });
    after(async () => under?.stop());
    const rule: Rule = (sentence, test, needs) => {
      if (needs === undefined || !lacks.includes(needs)) return it(sentence, test);
      return it(`${sentence} (${name} lacks ${needs})`, function () {
        this.skip();
      });
    };
    for (const suite of [streams, puts, reads, shardEnds, fanOut]) suite(() => under!, rule);
  });
}
