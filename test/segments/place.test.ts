import { expect, test } from 'vitest';
import { append, appends, offsetsOf } from '../storage/batches.ts';
import { ALL, FIRST, create, killedAfter, log } from './crashed.ts';
import { openStore } from './open.ts';

const VALUE_BYTES = 30;
const BATCH_BYTES = append({ log, baseOffset: 0, valueBytes: VALUE_BYTES }).bytes.length;

test('a batch whose offset has changed is not skipped by who knows where the next one starts', async () => {
  const files = await killedAfter([
    create,
    ...appends(log, 0, 20, VALUE_BYTES),
    { type: 'roll', log },
    ...appends(log, 20, 21, VALUE_BYTES),
  ]);
  const before = await openStore(files);
  await before.open(log);
  await before.close();
  for (let number = 1; number < 20; number++) {
    const damaged = files.crash({ power: true });
    const bytes = damaged.bytes(`${FIRST}.log`).slice();
    bytes[number * BATCH_BYTES + 7] = number - 1;
    damaged.replace(`${FIRST}.log`, bytes);
    const store = await openStore(damaged, { tailBytes: 0 });
    await store.open(log);
    const refused = async () => {
      for (let fromOffset = 0; fromOffset <= number;) {
        const read = await store.read(log, { ...ALL, fromOffset, maxBytes: 1 });
        const [[base, last] = [-1, -1]] = offsetsOf(read);
        expect(base, `batch ${number}`).toBe(fromOffset);
        fromOffset = last + 1;
      }
    };
    await expect(refused()).rejects.toThrow('is damaged');
  }
});
