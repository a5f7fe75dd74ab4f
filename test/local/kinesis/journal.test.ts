import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { silentLog, type Fields, type Log } from '../../../lib/runtime/log.ts';
import { FileJournal } from '../../../local/kinesis/journal/file-journal.ts';
import { readFrames, renderBatch, type Frame } from '../../../local/kinesis/journal/frames.ts';
import { journalFolder, restoreStreams } from '../../../local/kinesis/journal/restore.ts';
import { Account } from '../../../local/kinesis/storage/account.ts';
import { BatchBuilder } from '../../../local/kinesis/storage/record.ts';
import type { Batch } from '../../../local/kinesis/storage/shard-log.ts';
import type { Stream } from '../../../local/kinesis/storage/stream.ts';
import { splitShard } from '../../../local/kinesis/storage/stream-state.ts';

const identity = { region: 'eu-central-1', accountId: '123456789012' };
const NOW = 1_700_000_000_000;

function batchOf(keys: readonly string[], firstCounter = 10, arrivedAtMs = NOW): Batch {
  const builder = new BatchBuilder({ createdAtMs: NOW, shardIndex: 0, arrivedAtMs, encrypted: false });
  for (const [i, key] of keys.entries()) builder.add(firstCounter + 2 * i, key, 'AAAA', 3 + key.length);
  return builder.build();
}

function read(journal: Buffer): { frames: Frame[]; end: number } {
  const frames: Frame[] = [];
  const end = readFrames(journal, (frame) => frames.push(frame));
  return { frames, end };
}

describe('journal frames', () => {
  const keys = fc.array(fc.string({ minLength: 1, unit: 'binary' }), { minLength: 1, maxLength: 20 });

  it('give back the batch that was written', () => {
    fc.assert(
      fc.property(keys, (given) => {
        const batch = batchOf(given);
        const { frames } = read(Buffer.concat(renderBatch(3, batch)));
        expect(frames).to.deep.equal([{ kind: 'batch', shardIndex: 3, batch }]);
      }),
    );
  });

  it('end at the last whole frame, wherever the journal is torn or a bit is wrong', () => {
    const frames = [renderBatch(0, batchOf(['a', 'b'])), renderBatch(1, batchOf(['c']))].map((f) =>
      Buffer.concat(f),
    );
    const [first, second] = frames as [Buffer, Buffer];
    const whole = Buffer.concat(frames);
    for (let cut = 0; cut < whole.length; cut += 1) {
      expect(read(whole.subarray(0, cut)).end, `cut at ${cut}`).to.equal(
        cut < first.length ? 0 : first.length,
      );
    }
    for (let at = first.length; at < first.length + second.length; at += 1) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(read(flipped).end, `flipped at ${at}`).to.equal(first.length);
    }
  });
});

describe('a journal on disk', () => {
  let dir: string;
  const warnings: Fields[] = [];
  const log: Log = { ...silentLog, warn: (_message, fields) => void warnings.push(fields ?? {}) };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'weir-journal-'));
    warnings.length = 0;
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  function account(): Account {
    return new Account(identity, (name, at) => new FileJournal(journalFolder(dir, name, at), []));
  }

  function create(of: Account, name: string): Stream {
    of.create(
      { name, mode: 'PROVISIONED', shardCount: 1, maxRecordBytes: 1024, tags: { a: 'b' }, activeAtMs: NOW },
      NOW,
    );
    return of.stream(name, NOW);
  }

  function restored(): Account {
    const again = account();
    restoreStreams(dir, again, log);
    return again;
  }

  function onlyJournal(): string {
    const [folder] = readdirSync(dir);
    return join(dir, folder!, '000001.journal');
  }

  it('brings back state, records and the place of the next record', () => {
    const before = create(account(), 's');
    before.append(0, batchOf(['a', 'b', 'c'], before.takeCounter()));
    before.takeCounter();
    before.takeCounter();
    before.change((state) => splitShard(state, state.shards[0]!, 5n, NOW), NOW);
    before.close();
    const after = restored().stream('s', NOW);
    expect(after.state).to.deep.equal(before.state);
    expect(Buffer.concat(after.log(0).read(0, 10, 1_000).parts)).to.deep.equal(
      Buffer.concat(before.log(0).read(0, 10, 1_000).parts),
    );
    after.close();
  });

  it('writes on behind what it found, so that a second restart has both', () => {
    const first = create(account(), 's');
    first.append(0, batchOf(['a'], first.takeCounter()));
    first.close();
    const second = restored().stream('s', NOW);
    second.append(0, batchOf(['b'], second.takeCounter()));
    second.close();
    const third = restored().stream('s', NOW);
    expect(third.log(0).read(0, 10, 1_000).count).to.equal(2);
    expect(third.latest).to.equal(second.latest);
    third.close();
  });

  it('cuts off a torn end with a warning and keeps all before it', () => {
    const stream = create(account(), 's');
    stream.append(0, batchOf(['a'], stream.takeCounter()));
    stream.append(0, batchOf(['b'], stream.takeCounter()));
    stream.close();
    const path = onlyJournal();
    const whole = readFileSync(path).length;
    truncateSync(path, whole - 3);
    const again = restored();
    expect(again.stream('s', NOW).log(0).read(0, 10, 1_000).count).to.equal(1);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include({ path });
    again.close();
    appendFileSync(path, '');
    restored().close();
    expect(warnings, 'the end was cut off for good').to.have.length(1);
  });

  it('refuses a journal whose older file is broken, and names it', () => {
    const stream = create(account(), 's');
    stream.close();
    const path = onlyJournal();
    writeFileSync(path.replace('000001', '000002'), readFileSync(path));
    truncateSync(path, readFileSync(path).length - 1);
    expect(() => restored()).to.throw('000001.journal cannot be read');
  });

  it('does not bring back a stream that was deleted, nor one whose creation was not finished', () => {
    const of = account();
    of.delete(create(of, 'gone'), 0, NOW);
    mkdirSync(join(dir, `half@${NOW}`));
    mkdirSync(join(dir, `.removed-old@${NOW}`));
    expect(restored().streams(NOW)).to.have.length(0);
    expect(readdirSync(dir)).to.deep.equal([]);
  });

  it('frees the files whose records have all expired, and can be read without them', () => {
    const small = (name: string, at: number) => new FileJournal(journalFolder(dir, name, at), [], 1_000);
    const stream = create(new Account(identity, small), 's');
    stream.append(0, batchOf(['x'.repeat(1_000)], stream.takeCounter()));
    stream.trim(NOW + 2_000);
    stream.append(0, batchOf(['b'], stream.takeCounter(), NOW + 3_000));
    const folder = join(dir, readdirSync(dir)[0]!);
    expect(readdirSync(folder)).to.deep.equal(['000001.journal', '000002.journal']);
    stream.trim(NOW + 24 * 3_600_000 + 1_000);
    expect(readdirSync(folder)).to.deep.equal(['000002.journal']);
    stream.close();
    const after = restored().stream('s', NOW + 24 * 3_600_000 + 1_000);
    expect(after.log(0).read(0, 10, 1_000).count).to.equal(1);
    after.close();
  });
});
