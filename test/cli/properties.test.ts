import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProperties } from '../../src/cli/config/properties.ts';

/** Java's properties format (java.util.Properties.load), which Kafka's server.properties is in. */

const entriesOf = (text: string) =>
  parseProperties(text).entries.map(({ key, value, line }) => [key, value, line]);

describe('properties as Java reads them', () => {
  test.each([
    ['a=1', [['a', '1', 1]]],
    ['a = 1 ', [['a', '1', 1]]],
    ['a:1', [['a', '1', 1]]],
    ['a 1', [['a', '1', 1]]],
    ['a', [['a', '', 1]]],
    ['a=', [['a', '', 1]]],
    ['a==b', [['a', '=b', 1]]],
    ['url=http://x:9#no comment', [['url', 'http://x:9#no comment', 1]]],
    ['# a=1\n! b=2\n\n  c=3', [['c', '3', 4]]],
    [
      'a=1\\\n  2\nb=3',
      [
        ['a', '12', 1],
        ['b', '3', 3],
      ],
    ],
    [
      'a=1\\\\\nb=2',
      [
        ['a', '1\\', 1],
        ['b', '2', 2],
      ],
    ],
    ['a\\=b=c', [['a=b', 'c', 1]]],
    ['a\\ b=c', [['a b', 'c', 1]]],
    ['a=\\u0041\\tz', [['a', 'A\tz', 1]]],
    [
      'a=1\r\nb=2\rc=3',
      [
        ['a', '1', 1],
        ['b', '2', 2],
        ['c', '3', 3],
      ],
    ],
    ['a=1\\', [['a', '1', 1]]],
    ['\u{feff}a=1', [['a', '1', 1]]],
  ])('%j', (text, expected) => {
    expect(entriesOf(text)).toEqual(expected);
  });

  test('what cannot be read is named by its line', () => {
    expect(parseProperties('a=1\n=2\nb=\\u00g0\nc=3')).toEqual({
      entries: [
        { key: 'a', value: '1', line: 1 },
        { key: 'c', value: '3', line: 4 },
      ],
      faults: [
        { line: 2, message: '"=2" has no key before its value' },
        { line: 3, message: 'an escape \\u needs four hexadecimal digits' },
      ],
    });
  });

  test('any text is read without a throw, lines rising', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '=', ':', ' ', '\\', '\n', '\r', '#', 'u', '0') }),
        (text) => {
          const lines = parseProperties(text).entries.map(({ line }) => line);
          expect(lines).toEqual([...lines].toSorted((a, b) => a - b));
        },
      ),
    );
  });
});
