import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8Length } from '../../src/wire/text.ts';

const encoder = new TextEncoder();

/** Lone surrogates too, and of any length: long ones are measured in pieces. */
const text = fc
  .tuple(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.nat(700),
    fc.string({ unit: 'binary', maxLength: 9 }),
  )
  .map(([piece, times, end]) => piece.repeat(times) + end);

test('a text is as long as the platform writes it', () => {
  fc.assert(
    fc.property(text, (given) => {
      expect(utf8Length(given)).toBe(encoder.encode(given).length);
    }),
  );
});

test.each([47, 48, 49, 8191, 8192, 8193])('a pair of surrogates at %d is four bytes', (at) => {
  const given = `${'a'.repeat(at)}😀${'é'.repeat(9000)}`;
  expect(utf8Length(given)).toBe(at + 4 + 18_000);
});
