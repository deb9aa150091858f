import { expect, test } from 'vitest';
import { EPOCHS_NAME, EpochCache } from '../../src/log/epochs.ts';
import { append, batch, NAME, openLog, openRig } from './fixtures.ts';

test('epochs that a power cut took from the checkpoint are read off the batches it left', async () => {
  const rig = await openRig();
  for (const leaderEpoch of [0, 0, 2, 2, 5]) await append(rig, batch({ count: 3 }), { leaderEpoch });
  const value = new EpochCache([{ epoch: 0, startOffset: 0 }]).encode();
  await rig.store.commit([{ type: 'put', log: NAME.log, name: EPOCHS_NAME, value }]);

  const log = await openLog(rig.store);
  expect(log.epochs.entries).toEqual([
    { epoch: 0, startOffset: 0 },
    { epoch: 2, startOffset: 6 },
    { epoch: 5, startOffset: 12 },
  ]);
  expect(log.epochs.endOffsetFor(2, log.logEndOffset)).toEqual({ epoch: 2, endOffset: 12 });
});
