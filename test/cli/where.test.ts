import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filterOf } from '../../src/cli/consume/where.ts';
import { CliError } from '../../src/cli/errors.ts';
import type { ConsumerRecord } from '../../src/client/fetch/consumer-record.ts';

const bytes = (text: string | null) => (text === null ? null : Buffer.from(text));

/** What an expression asks of a record. */
function record({
  key = 'c17',
  value = '{}',
  headers = {} as Record<string, string>,
  timestamp = 1_700_000_000_000,
} = {}) {
  return {
    topic: 'orders',
    partition: 3,
    offset: 42,
    timestamp,
    keyBytes: bytes(key),
    valueBytes: bytes(value),
    headers: Object.entries(headers).map(([name, text]) => ({ key: name, value: bytes(text) })),
  } as unknown as ConsumerRecord;
}

const ORDER = record({
  value: JSON.stringify({
    eur: 9.5,
    paid: true,
    note: null,
    items: [{ id: 'a' }, { id: 'b' }],
    tags: ['new', 'gift'],
    'first name': 'Ada',
    nested: { 'x-y': 1 },
  }),
  headers: { source: 'web', retries: '3' },
});

describe('is true of the record', () => {
  test.each([
    'value.eur > 9',
    'value.eur >= 9.5 && value.eur <= 9.5',
    'value.eur<10',
    '!(value.eur > 10)',
    'value.eur > 100 || value.paid',
    'value.paid == true',
    'value.note == null',
    'value.missing == null',
    'value.missing.deeper == null',
    'value.items[1].id == "b"',
    "value['first name'] == 'Ada'",
    'value.nested.x-y == 1',
    'value.tags contains "gift"',
    'value contains "gift"',
    "headers.source == 'web'",
    'headers.retries > 2',
    'headers.none == null',
    "key == 'c17'",
    'key contains "17"',
    "topic == 'orders' && partition == 3 && offset == 42",
    'timestamp > "2023-11-14T22:13:00Z" && timestamp < "2023-11-15"',
    'value.tags.length == 2',
    'true',
    'value.eur > 9 && !value.missing || false',
    String.raw`"a\"b" == 'a"b'`,
    'false || true && true',
  ])('%s', (expression) => {
    expect(filterOf(expression)(ORDER)).toBe(true);
  });
});

describe('is not', () => {
  test.each([
    'value.eur > "9"',
    'value.paid == 1',
    'value.missing > 0',
    'value.missing < 0',
    'value.note > 0',
    'value.items == null',
    'value.constructor != null',
    'value.__proto__ != null',
    'key > 9',
    'false && true || false',
  ])('%s', (expression) => {
    expect(filterOf(expression)(ORDER)).toBe(false);
  });
});

test('a value that is a number is one beside a number', () => {
  expect(filterOf('value > 9')(record({ value: '10' }))).toBe(true);
  expect(filterOf('value > 9')(record({ value: 'ten' }))).toBe(false);
  expect(filterOf("value == '10'")(record({ value: '10' }))).toBe(true);
});

test('a value that is no JSON has no fields', () => {
  expect(filterOf('value.eur > 9')(record({ value: '{"eur":10' }))).toBe(false);
  expect(filterOf('value.eur == null')(record({ value: 'text' }))).toBe(true);
});

describe('what cannot be read says where', () => {
  test.each([
    ['', 1],
    ['value.eur >', 12],
    ['value.', 7],
    ['(value.eur > 9', 15],
    ['value.eur > 9 value', 15],
    ['eur > 9', 1],
    ['value.eur = 9', 11],
    ['value.eur > 9;', 14],
    ['headers == 1', 9],
    ['topic.name == 1', 6],
    ['value[', 7],
    ["'open", 1],
    ['process.exit(1)', 1],
  ])('%s', (expression, column) => {
    expect(() => filterOf(expression)).toThrow(`--where, column ${column}:`);
  });

  test('however it is nested', () => {
    expect(() => filterOf('('.repeat(10_000))).toThrow('nested too deeply');
    expect(() => filterOf(`${'!'.repeat(10_000)}true`)).toThrow('nested too deeply');
  });
});

function outcomeOf(text: string): string {
  try {
    return typeof filterOf(text)(ORDER);
  } catch (error) {
    return error instanceof CliError ? 'refused' : String(error);
  }
}

test('any text is an expression or is refused in words', () => {
  const part = fc.constantFrom(
    'value',
    '.a',
    '[0]',
    '==',
    '>',
    '&&',
    '||',
    '!',
    '(',
    ')',
    '9',
    "'x'",
    ' ',
    'contains',
    'null',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
      ),
      (text) => {
        expect(['boolean', 'refused']).toContain(outcomeOf(text));
      },
    ),
    { numRuns: 2_000 },
  );
});
