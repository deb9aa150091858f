import { expect, test } from 'vitest';
import { append, appends, offsetsOf } from '../storage/batches.ts';
import type { MemoryFiles } from '../storage/memory-files.ts';
import { ALL, FIRST, create, killedAfter, log, recovered } from './crashed.ts';
import { openStore } from './open.ts';

const BATCHES = 6;
const VALUE_BYTES = 20;
const BATCH_BYTES = append({ log, baseOffset: 0, valueBytes: VALUE_BYTES }).bytes.length;
/** Of a batch, and covered by its checksum. */
const COVERED_BYTE = 40;
const all = Array.from({ length: BATCHES }, (_, offset) => [offset, offset]);

/** What tells a batch's last offset: covered, too. */
const LAST_OFFSET_BYTE = 24;

/** One read of the log gives one wrong bit; the device has the right one. @returns whether there was such a read. */
function misread(files: MemoryFiles, number: number, batch: number, byte = COVERED_BYTE): () => boolean {
  let reads = 0;
  const at = batch * BATCH_BYTES + byte;
  files.onRead = (path, position, bytes) => {
    const here = at - position;
    if (path !== `${FIRST}.log` || here < 0 || here >= bytes.length || reads++ !== number) return;
    bytes[here] = (bytes[here] ?? 0) ^ 0x10;
  };
  return () => reads > number;
}

test('a bit that is wrong on its way once costs nothing: no batch, no file set aside, no warning', async () => {
  const disk = await killedAfter([create, ...appends(log, 0, BATCHES, VALUE_BYTES)]);
  for (let batch = 0; batch < BATCHES; batch++) {
    for (let number = 0; ; number++) {
      const files = disk.crash({ power: true });
      const original = files.bytes(`${FIRST}.log`).slice();
      const wasRead = misread(files, number, batch);
      const { batches, warnings } = await recovered(files);
      if (!wasRead()) break;
      expect(batches, `read ${number} of batch ${batch}`).toEqual(all);
      expect(warnings).toEqual([]);
      expect(files.paths().filter((path) => path.endsWith('.damaged'))).toEqual([]);
      expect(files.bytes(`${FIRST}.log`)).toEqual(original);
    }
  }
});

test.each([COVERED_BYTE, LAST_OFFSET_BYTE])(
  'a cold read that is wrong once is read again: byte %i',
  async (byte) => {
    const files = await killedAfter([create, ...appends(log, 0, BATCHES, VALUE_BYTES)]);
    const before = await openStore(files);
    await before.open(log);
    await before.close();
    const store = await openStore(files, { tailBytes: 0 });
    await store.open(log);
    const wasRead = misread(files, 0, 0, byte);
    expect(offsetsOf(await store.read(log, { ...ALL, endOffset: BATCHES }))).toEqual(all);
    expect(wasRead()).toBe(true);
  },
);
