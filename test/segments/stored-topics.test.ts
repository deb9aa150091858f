import { describe, expect, test } from 'vitest';
import { type DamagedLog, StoredTopics } from '../../src/segments/stored-topics.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { append, appends, kernels, logName, offsetsOf } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { DIRECTORY, openStore } from './open.ts';

const { log } = logName(1);
const create: LogWrite = { type: 'create', ...logName(1) };
const FIRST = `${DIRECTORY}/topic1-0/00000000000000000000.log`;

async function written(...commits: LogWrite[][]) {
  const files = new MemoryFiles();
  const store = await openStore(files);
  for (const writes of commits) await store.commit(writes);
  return { files, store };
}

const open = (files: MemoryFiles) =>
  StoredTopics.open({ files, directory: DIRECTORY, kernels, codecs: new Map() });

async function read(stored: StoredTopics, fromOffset = 0, endOffset = Infinity): Promise<[number, number][]> {
  const found: [number, number][] = [];
  for await (const bytes of stored.reader('topic1').batches(0, fromOffset, endOffset))
    found.push(...offsetsOf(bytes));
  return found;
}

describe('a directory is read as it is', () => {
  test('where nobody can write, as a disk that has failed is mounted', async () => {
    const { files, store } = await written([create, ...appends(log, 0, 4, 50)]);
    await store.close();
    files.lock = () => Promise.reject(Object.assign(new Error('read-only file system'), { code: 'EROFS' }));
    const stored = await open(files);
    expect(await read(stored)).toHaveLength(4);
    await stored.close();
    files.lock = () => Promise.reject(Object.assign(new Error('not yours'), { code: 'EACCES' }));
    await expect(open(files)).rejects.toThrow('not yours');
  });

  test('all batches over several segments, from any offset to any other; nothing is changed', async () => {
    const { files, store } = await written(
      [create, ...appends(log, 0, 4, 50)],
      [{ type: 'roll', log }, ...appends(log, 4, 8, 50)],
      [{ type: 'trim', log, beforeOffset: 1 }],
    );
    await store.close();
    const before = files.calls;
    const stored = await open(files);
    expect([stored.names(), stored.partitionsOf('topic1'), stored.partitionsOf('topic2')]).toEqual([
      ['topic1'],
      1,
      undefined,
    ]);
    expect(await stored.reader('topic1').bounds(0)).toEqual({ startOffset: 1, endOffset: 8 });
    const all = await read(stored);
    expect(all.map(([base]) => base)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (let from = 0; from <= 8; from++)
      for (let end = from; end <= 9; end++)
        expect(await read(stored, from, end)).toEqual(
          all.filter(([base, last]) => last >= from && base < end),
        );
    await stored.close();
    expect(files.calls).toBe(before);
  });

  test('a broker keeps it out, and it a broker', async () => {
    const { files, store } = await written([create]);
    await expect(open(files)).rejects.toThrow('is in use');
    await store.close();
    const stored = await open(files);
    await expect(openStore(files)).rejects.toThrow('is in use');
    await stored.close();
    await (await openStore(files)).close();
  });

  test('a directory of something else, or of a newer version', async () => {
    await expect(open(new MemoryFiles())).rejects.toThrow('is no data directory');
    const { files, store } = await written([create]);
    await store.close();
    files.replace(`${DIRECTORY}/milena.format`, new TextEncoder().encode('version=99\n'));
    await expect(open(files)).rejects.toThrow('was written by a newer Milena');
  });
});

describe('what is damaged', () => {
  const batches = 5;

  async function damaged(change: (bytes: Uint8Array) => Uint8Array, { clean = false } = {}) {
    const { files, store } = await written([create, ...appends(log, 0, batches, 50)]);
    if (clean) await store.close();
    const disk = clean ? files : files.crash({ power: true });
    disk.replace(FIRST, change(disk.bytes(FIRST).slice()));
    return open(disk);
  }

  test('after a crash a torn end is where the log ends, at whichever byte', async () => {
    const whole = (await written([create, ...appends(log, 0, batches, 50)])).files.bytes(FIRST).length;
    for (let lost = 1; lost < whole / batches; lost += 7) {
      const stored = await damaged((bytes) => bytes.subarray(0, bytes.length - lost));
      const { endOffset } = await stored.reader('topic1').bounds(0);
      expect(endOffset).toBe(4);
      expect(await read(stored, 0, endOffset)).toHaveLength(4);
    }
  });

  test.each([false, true])(
    'any flipped bit is found before its batch is given out (clean: %s)',
    async (clean) => {
      const size =
        (await written([create, ...appends(log, 0, batches, 50)])).files.bytes(FIRST).length / batches;
      for (let at = 0; at < size; at += 3) {
        // The leader epoch, which brokers stamp, is under no checksum.
        if (at >= 12 && at < 16) continue;
        const stored = await damaged(
          (bytes) => {
            const position = 2 * size + at;
            bytes[position] = (bytes[position] ?? 0) ^ 0x80;
            return bytes;
          },
          { clean },
        );
        const found: [number, number][] = [];
        const reading = (async () => {
          for await (const bytes of stored.reader('topic1').batches(0, 0, Infinity))
            found.push(...offsetsOf(bytes));
        })();
        const { position } = (await reading.catch((error: unknown) => error)) as DamagedLog;
        // A false offset shows at the latest when the next one does not rise.
        const batchesGiven = at < 8 ? [2, 3] : [2];
        expect(batchesGiven.map((count) => count * size)).toContain(position);
        expect(batchesGiven).toContain(found.length);
      }
    },
  );

  test('closed cleanly, a log has no torn end: it says so', async () => {
    const stored = await damaged((bytes) => bytes.subarray(0, bytes.length - 1), { clean: true });
    await expect(stored.reader('topic1').bounds(0)).rejects.toThrow('the last batch is torn');
  });
});

test('by time: the first record that is not earlier', async () => {
  const { files, store } = await written([
    create,
    append({ log, baseOffset: 0, records: 3 }),
    append({ log, baseOffset: 3, records: 3 }),
  ]);
  await store.close();
  const stored = await open(files);
  const reader = stored.reader('topic1');
  expect(await reader.offsetAt(0, 0)).toBe(0);
  expect(await reader.offsetAt(0, Number.MAX_SAFE_INTEGER)).toBeUndefined();
});
