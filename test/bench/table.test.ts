import { expect, test } from 'vitest';
import type { Figure } from './harness.ts';
import { tableOf, withTable } from './table.ts';

const BENCHES = ['kernels', 'codecs'];
const BEGIN = '<!-- bench: made by `npm run bench -- kernels codecs --readme` -->';
const FIGURES: Figure[] = [
  { bench: 'crc32c 16 KB', value: 20_987.4, unit: 'MB/s', peer: 'kafkajs', ratio: 39.31, bar: { ratio: 32 } },
  { bench: 'crc32c 16 KB', value: 20_987.4, unit: 'MB/s', peer: 'twin', ratio: 7.456 },
  { bench: 'without a bar', value: 1, unit: 'MB/s', peer: 'twin', ratio: 1 },
  { bench: 'floor', value: 39.44, unit: 'ns', peer: 'binary search', ratio: 3, bar: { ratio: 3 } },
];
const TABLE = `| what | here | times as fast as |
| --- | --- | --- |
| crc32c 16 KB | 21,000 MB/s | kafkajs 39.3, twin 7.5 |
| floor | 39.4 ns | binary search 3 |`;

test('a bench with a bar is a row, with all its peers', () => {
  expect(tableOf(FIGURES)).toBe(TABLE);
});

test('a bar that is a bound is said', () => {
  const bound: Figure = { bench: 'start', value: 12.34, unit: 'ms', bar: { atMost: 50 } };
  expect(tableOf([bound])).toMatch(/^\| start \| 12\.3 ms \| at most 50 ms wanted \|$/m);
});

test('each table has its own place', () => {
  const other = '<!-- bench: made by `npm run bench -- cli --readme` -->\n\nother\n\n<!-- /bench -->\n';
  const readme = `${other}${BEGIN}\nold\n<!-- /bench -->\n`;
  expect(withTable(readme, TABLE, BENCHES)).toBe(`${other}${BEGIN}\n\n${TABLE}\n\n<!-- /bench -->\n`);
});

test('the table goes between the marks, and nothing else changes', () => {
  const readme = `# Milena\n\n${BEGIN}\nold\n<!-- /bench -->\n\nThe end.\n`;
  const written = withTable(readme, TABLE, BENCHES);
  expect(written).toBe(`# Milena\n\n${BEGIN}\n\n${TABLE}\n\n<!-- /bench -->\n\nThe end.\n`);
  expect(withTable(written, TABLE, BENCHES)).toBe(written);
});

test.each([
  ['no mark', '# Milena\n'],
  ['no end', `${BEGIN}\n`],
  ['the end first', `<!-- /bench -->\n${BEGIN}\n`],
  ['two begins', `${BEGIN}\n${BEGIN}\n<!-- /bench -->\n`],
  [
    'the end of another',
    `${BEGIN}\n<!-- bench: made by \`npm run bench -- cli --readme\` -->\n<!-- /bench -->\n`,
  ],
])('a text with %s is refused', (_, readme) => {
  expect(() => withTable(readme, TABLE, BENCHES)).toThrow('no place for the table');
});
