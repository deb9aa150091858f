import { expect, test } from 'vitest';
import { type Delivered, Ledger } from './ledger.ts';

const SENT = ['a', 'b'].flatMap((key) =>
  [0, 1, 2].map((sequence) => ({ key, sequence, value: `${key}${sequence}` })),
);
const NO_FAULT = { lost: 0, duplicated: 0, outOfOrder: 0, wrong: 0, gaps: 0 };

/** Key `a` in partition 0, `b` in 1: what the log holds at offsets from 0, by sequence. */
function findings(a: readonly number[], b: readonly number[], extra: readonly Delivered[] = []) {
  const ledger = new Ledger(SENT);
  const deliver = (key: string, partition: number) => (sequence: number, offset: number) =>
    ledger.deliver({ partition, offset, key, sequence, value: `${key}${sequence}` });
  a.forEach(deliver('a', 0));
  b.forEach(deliver('b', 1));
  for (const record of extra) ledger.deliver(record);
  return ledger.findings([a.length, b.length]);
}

test('all as sent', () => {
  expect(findings([0, 1, 2], [0, 1, 2])).toMatchObject({ ...NO_FAULT, logged: 6, redelivered: 0 });
});

test('given again is not in the log again', () => {
  const again = { partition: 0, offset: 1, key: 'a', sequence: 1, value: 'a1' };
  expect(findings([0, 1, 2], [0, 1, 2], [again])).toMatchObject({ ...NO_FAULT, redelivered: 1 });
});

test('lost', () => {
  expect(findings([0, 2], [0, 1, 2])).toMatchObject({ ...NO_FAULT, lost: 1 });
});

test('twice in the log', () => {
  expect(findings([0, 1, 1, 2], [0, 1, 2])).toMatchObject({ ...NO_FAULT, duplicated: 1 });
});

test('out of order', () => {
  expect(findings([1, 0, 2], [0, 1, 2])).toMatchObject({ ...NO_FAULT, outOfOrder: 1 });
});

test('another record at a place already seen', () => {
  const other = { partition: 0, offset: 1, key: 'a', sequence: 2, value: 'a2' };
  expect(findings([0, 1, 2], [0, 1, 2], [other])).toMatchObject({ ...NO_FAULT, wrong: 1 });
});

test('a value nobody sent', () => {
  const altered = { partition: 0, offset: 3, key: 'a', sequence: 0, value: 'x' };
  expect(findings([0, 1, 2], [0, 1, 2], [altered])).toMatchObject({ wrong: 1 });
});
