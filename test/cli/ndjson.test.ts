import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordOf } from '../../src/cli/produce/record-line.ts';
import { lineOf, parseLine } from '../../src/cli/transfer/ndjson.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { type BatchRecords, records } from '../../src/records/batch.ts';
import { buildBatch, type NewRecord } from '../../src/records/builder.ts';

const kernels = await loadKernels();
const place = { topic: 'orders', partition: 3 };

function lineFor(record: NewRecord, options = {}): string {
  const batch = records(
    buildBatch(kernels, { records: [record], baseOffset: 7 }),
    kernels,
    new Map(),
  ) as BatchRecords;
  return lineOf(place, batch.at(0), options);
}

const bytes = (max: number) =>
  fc.oneof(
    fc.constant(null),
    fc.uint8Array({ maxLength: max }),
    fc.string({ unit: 'binary', maxLength: max }).map((text) => new TextEncoder().encode(text)),
  );
const plain = (value: Uint8Array | null | undefined) => (value ? [...value] : (value ?? null));

describe('a record as a line', () => {
  test('every record comes back as it was: bytes, tombstones, headers in order and twice', () => {
    const record = fc.record({
      timestamp: fc.integer({ min: -1, max: 2 ** 52 }),
      key: bytes(40),
      value: bytes(200),
      headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytes(20) }), {
        maxLength: 4,
      }),
    });
    fc.assert(
      fc.property(record, fc.boolean(), (given, nests) => {
        const line = lineFor(given, { nests });
        expect(line.endsWith('\n') && !line.slice(0, -1).includes('\n')).toBe(true);
        const parsed = parseLine(line);
        expect(parsed).toMatchObject({ ...place, offset: 7, timestamp: given.timestamp });
        expect([plain(parsed.key), plain(parsed.value)]).toEqual([plain(given.key), plain(given.value)]);
        expect(parsed.headers.map(({ key, value }) => [key, plain(value)])).toEqual(
          given.headers.map(({ key, value }) => [key, plain(value)]),
        );
      }),
    );
  });

  test('its form', () => {
    const value = Uint8Array.of(0xff);
    const headers = [
      { key: 'a', value: new Uint8Array(0) },
      { key: 'a', value: null },
    ];
    const record = { timestamp: 5, key: new TextEncoder().encode('{"base64":"x"}'), value, headers };
    expect(lineFor(record, { isAppendTime: false })).toBe(
      '{"topic":"orders","partition":3,"offset":7,"timestamp":5,"timestampType":"CreateTime",' +
        '"key":"{\\"base64\\":\\"x\\"}","value":{"base64":"/w=="},"headers":[["a",""],["a",null]]}\n',
    );
  });

  const nested = (value: string) => {
    const line = lineFor(
      { timestamp: 5, key: null, value: new TextEncoder().encode(value) },
      { nests: true },
    );
    return line.replace(/^.*?"value":/, '').replace(/,"headers":\[\]\}\n$/, '');
  };

  test('JSON is nested as it is written, whatever its spaces and digits', () => {
    for (const value of [
      '{}',
      '[1, 2]',
      '{"id" : 12345678901234567890, "eur":1.50}',
      '{"a":"}\\"{","b":[{}]}',
    ])
      expect(nested(value)).toBe(value);
  });

  test.each([
    ['a text', 'orders'],
    ['a number', '5'],
    ['null', 'null'],
    ['no JSON', '{eur: 5}'],
    ['JSON of several lines', '{\n"eur": 5}'],
    ['JSON with something around it', ' {}'],
    ['what stands for bytes', '{"base64":"AA=="}'],
  ])('%s stays a text', (_, value) => {
    expect(nested(value)).toBe(JSON.stringify(value));
  });

  test('every JSON comes back as it was, through produce and import', () => {
    const spaces = fc.constantFrom('', ' ', '\t', '\n ');
    fc.assert(
      fc.property(fc.json(), spaces, spaces, (json, before, between) => {
        const value = before + json.replaceAll(',', `,${between}`);
        const line = lineFor(
          { timestamp: 5, key: null, value: new TextEncoder().encode(value) },
          { nests: true },
        );
        expect(line.slice(0, -1)).not.toContain('\n');
        expect(new TextDecoder().decode(parseLine(line).value ?? undefined)).toBe(value);
        const { value: produced } = recordOf(line);
        expect(
          typeof produced === 'string' ? produced : new TextDecoder().decode(produced ?? undefined),
        ).toBe(value);
      }),
    );
  });

  const whole = { topic: 't', partition: 0, timestamp: 1, value: 'v' };
  test.each([
    ['not JSON', '{', 'not JSON'],
    ['a list', '[]', 'not a JSON object'],
    ['no topic', { ...whole, topic: undefined }, 'topic must be the name'],
    ['no partition', { ...whole, partition: undefined }, 'partition must be a whole number from 0 to'],
    ['a partition below 0', { ...whole, partition: -1 }, 'not -1'],
    ['a partition of text', { ...whole, partition: '0' }, 'not "0"'],
    ['half an offset', { ...whole, offset: 0.5 }, 'offset must be a whole number'],
    ['no timestamp', { ...whole, timestamp: undefined }, 'timestamp must be a whole number from -1'],
    [
      'a time beyond 2^53',
      '{"topic":"t","partition":0,"timestamp":9007199254740993,"value":""}',
      'timestamp must be',
    ],
    ['no value', { ...whole, value: undefined }, 'value is missing; null is a tombstone'],
    ['a number as value', { ...whole, value: 5 }, 'value must be text, null or {"base64": "…"}'],
    ['base64 that is none', { ...whole, value: { base64: '?' } }, 'the base64 of value is not sound'],
    [
      'base64 with bits too many',
      { ...whole, value: { base64: '/x==' } },
      'the base64 of value is not sound',
    ],
    ['a key of base64 and more', { ...whole, key: { base64: '', b: 1 } }, 'key must be text'],
    [
      'half a surrogate pair',
      '{"topic":"t","partition":0,"timestamp":1,"value":"\\ud800"}',
      'half a surrogate pair',
    ],
    ['headers as an object', { ...whole, headers: {} }, 'headers must be a list'],
    ['a header of one', { ...whole, headers: [['a']] }, 'headers[0] must be [name, value]'],
    ['an unknown field', { ...whole, vaule: 1 }, '"vaule" is no field of a record'],
    ['another kind of time', { ...whole, timestampType: 'Now' }, 'timestampType must be'],
  ])('%s is refused', (_, line, message) => {
    expect(() => parseLine(typeof line === 'string' ? line : JSON.stringify(line))).toThrow(message);
  });
});
