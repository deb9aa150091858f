import { expect, test } from 'vitest';
import { appends, logName, offsetsOf } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { openStore } from './open.ts';

test('a log that takes the name of a stray takes neither its start nor its recovery point', async () => {
  const old = logName(1);
  const next = { ...logName(2), topic: old.topic };
  const files = new MemoryFiles();
  const first = await openStore(files);
  await first.commit([{ type: 'create', ...old }, ...appends(old.log, 0, 9), { type: 'roll', log: old.log }]);
  await first.commit([...appends(old.log, 9, 12), { type: 'trim', log: old.log, beforeOffset: 7 }]);

  // It died between the deletion of the topic and that of its log.
  const after = files.crash({ power: false });
  const second = await openStore(after);
  await second.commit([{ type: 'create', ...next }, ...appends(next.log, 0, 9)]);

  const third = await openStore(after.crash({ power: false }));
  expect(await third.open(next.log)).toEqual({ logStartOffset: 0, logEndOffset: 9 });
  const range = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };
  expect(offsetsOf(await third.read(next.log, range))[0]).toEqual([0, 0]);
});
