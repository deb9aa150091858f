import { expect, test } from 'vitest';
import { durationMs } from '../../src/model/duration.ts';

test.each([
  ['0s', 0],
  ['500ms', 500],
  ['90s', 90_000],
  ['15m', 900_000],
  ['1.5h', 5_400_000],
  ['7d', 604_800_000],
])('%s', (text, expected) => {
  expect(durationMs(text)).toBe(expected);
});

test.each(['', '7', 'd', '-1h', '1 h', '1w', '1h30m', '1e3s', '.5h', '1.h', '9999999999999d'])(
  '"%s" is none',
  (text) => {
    expect(durationMs(text)).toBeUndefined();
  },
);
