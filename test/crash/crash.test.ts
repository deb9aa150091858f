import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BatchHeader, forEachBatch } from '../../src/records/header.ts';
import { CrashRun } from './run.ts';

const SEED = 20_260_101;

async function start(): Promise<{ run: CrashRun; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'milena-crash-test-'));
  return { run: await CrashRun.start(directory, SEED), directory };
}

/** The one `.log` file of each log whose name begins so. */
async function segments(directory: string, log: string): Promise<string[]> {
  const logs = (await readdir(directory)).filter((name) => name.startsWith(log));
  const paths = logs.map(async (name) => {
    const files = await readdir(join(directory, name));
    return files.filter((file) => file.endsWith('.log')).map((file) => join(directory, name, file));
  });
  return (await Promise.all(paths)).flat();
}

/** Makes bytes of the file others. */
async function rewrite(paths: readonly string[], change: (bytes: Buffer) => Uint8Array): Promise<void> {
  for (const path of paths) await writeFile(path, change(await readFile(path)));
}

/** The same bytes with their first batch once more behind the last. */
function repeated(bytes: Buffer): Uint8Array {
  let end = 0;
  let nextOffset = 0;
  forEachBatch(bytes, (header) => {
    end = header.position + header.sizeBytes;
    nextOffset = header.lastOffset + 1;
  });
  const first = Buffer.from(new BatchHeader(bytes).bytes);
  new BatchHeader(first).stamp(nextOffset, 0);
  return Buffer.concat([bytes.subarray(0, end), first]);
}

test('a broker that is killed under load keeps what it acknowledged', async () => {
  const { run } = await start();
  for (let round = 1; round <= 3; round++) {
    const { faults, records } = await run.round(round);
    expect(faults).toEqual([]);
    expect(records).toBeGreaterThan(0);
  }
  expect(await run.stop()).toEqual([]);
});

/** The very last batch may be one that nobody was told of. */
function halved(bytes: Buffer): Uint8Array {
  return bytes.subarray(0, bytes.length >> 1);
}

/** What the judge must not miss, done to the files of the dead broker. */
const PLANTED: [name: string, log: string, change: (bytes: Buffer) => Uint8Array, found: RegExp][] = [
  ['a log that lost its end', 'crash-plain-0', halved, /the log ends here/],
  ['a batch that is there twice', 'crash-plain-0', repeated, /twice, or out of order/],
  ['a log that is gone', 'crash-plain-0', () => new Uint8Array(0), /the log ends here/],
  ['commits that are gone', '__consumer_offsets', () => new Uint8Array(0), /committed is -1/],
];

describe('the judge sees', () => {
  test.each(PLANTED)('%s', async (_name, log, change, found) => {
    const { run, directory } = await start();
    const { faults } = await run.round(1, {
      afterDeath: async () => rewrite(await segments(directory, log), change),
    });
    expect(faults.join('\n')).toMatch(found);
    await run.stop();
  });
});
