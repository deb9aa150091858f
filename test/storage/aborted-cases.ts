import { describe, expect } from 'vitest';
import type { AbortedTransaction } from '../../src/model/aborted.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { appends, logName } from './batches.ts';
import type { Bench } from './contract.ts';

const { log } = logName(1);
const create: LogWrite = { type: 'create', ...logName(1) };

function transaction(
  producerId: number,
  offsets: readonly [first: number, marker: number, stable: number],
): AbortedTransaction {
  const [firstOffset, lastOffset, lastStableOffset] = offsets;
  return { producerId, firstOffset, lastOffset, lastStableOffset };
}

function add(added: AbortedTransaction): LogWrite {
  return { type: 'aborted', log, fromOffset: added.lastOffset, transactions: [added] };
}

/** Marked at 4, 5 and 9; the second began first. */
const one = transaction(1, [2, 4, 1]);
const two = transaction(2, [1, 5, 6]);
const three = transaction(2 ** 40, [7, 9, 10]);
/** In two segments; the third marker is in the second. */
const written: LogWrite[] = [
  create,
  ...appends(log, 0, 5),
  add(one),
  ...appends(log, 5, 6),
  add(two),
  { type: 'roll', log },
  ...appends(log, 6, 10),
  add(three),
];
const all = { fromOffset: 0, endOffset: Infinity };

/** What stores know of aborted transactions. */
export function abortedCases({ name, fresh, test }: Bench): void {
  describe(`${name}: aborted transactions`, () => {
    test('those that a reader of a range must not see, in the order of their markers', async () => {
      const store = await fresh(...written);
      expect(store.aborted(log, all)).toEqual([one, two, three]);
      const found = (fromOffset: number, endOffset: number) =>
        store.aborted(log, { fromOffset, endOffset }).map(({ lastOffset }) => lastOffset);
      expect([found(0, 1), found(0, 2), found(0, 3), found(3, 6)]).toEqual([[], [5], [4, 5], [4, 5]]);
      expect([found(5, 7), found(6, 7), found(6, 8), found(10, 20)]).toEqual([[5], [], [9], []]);
    });

    test('there are none of a log that has none, nor of a new one', async () => {
      const store = await fresh(...written, { type: 'create', ...logName(2) });
      expect(store.aborted(logName(2).log, all)).toEqual([]);
      await store.commit([{ type: 'drop', log }, create]);
      expect(store.aborted(log, all)).toEqual([]);
    });

    test('what was known from an offset on is replaced, and then goes on', async () => {
      const store = await fresh(...written);
      const instead = [transaction(3, [0, 5, 6]), transaction(4, [6, 8, 9])];
      const done = store.commit([{ type: 'aborted', log, fromOffset: 5, transactions: instead }]);
      expect(store.aborted(log, all)).toEqual([one, ...instead]);
      await done;
      await store.commit([...appends(log, 10, 12), add(transaction(5, [10, 11, 12]))]);
      expect(store.aborted(log, all)).toEqual([one, ...instead, transaction(5, [10, 11, 12])]);
    });

    test('go with their markers, and come again only with new ones', async () => {
      const store = await fresh(...written);
      await store.commit([{ type: 'truncate', log, toOffset: 5 }]);
      expect(store.aborted(log, all)).toEqual([one]);
      await store.commit([...appends(log, 5, 7), add(transaction(2, [1, 6, 7]))]);
      expect(store.aborted(log, all)).toEqual([one, transaction(2, [1, 6, 7])]);
    });

    test('are not listed for what is below the log start', async () => {
      const store = await fresh(...written);
      await store.commit([{ type: 'trim', log, beforeOffset: 8 }]);
      expect(store.aborted(log, { ...all, fromOffset: 8 })).toEqual([three]);
      expect(await store.names(log)).toEqual([]);
    });
  });
}
