import { type } from 'arktype';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { InvalidRecord, type RawRecord } from '../../../src/client/topics/invalid-record.ts';
import { type OnInvalid, settleInvalid } from '../../../src/client/topics/on-invalid.ts';
import type { ProducerRecord } from '../../../src/client/producer/record.ts';
import { serde } from '../../../src/client/topics/serde.ts';
import { deserializersOf, invalidIn, topic } from '../../../src/client/topics/topic.ts';

const ENCODER = new TextEncoder();
const bytesOf = (field: string | Uint8Array | null | undefined) =>
  typeof field === 'string' ? ENCODER.encode(field) : (field ?? null);

function rawOf({ key, value }: ProducerRecord, topicName = 'orders'): RawRecord {
  const where = { topic: topicName, partition: 3, offset: 17, timestamp: 1000 };
  return {
    ...where,
    headers: [{ key: 'h', value: null }],
    keyBytes: bytesOf(key),
    valueBytes: bytesOf(value),
  };
}

function errorOf(work: () => unknown): InvalidRecord {
  try {
    work();
  } catch (error) {
    if (error instanceof InvalidRecord) return error;
    throw error;
  }
  throw new Error('nothing was wrong with it');
}

const SCHEMAS = {
  zod: z.object({ id: z.string(), eur: z.number() }),
  valibot: v.object({ id: v.string(), eur: v.number() }),
  arktype: type({ id: 'string', eur: 'number' }),
} as const;

describe.each(Object.entries(SCHEMAS))('typed messages by hand: a schema of %s', (_, schema) => {
  const orders = topic('orders', { key: serde.string, value: schema });

  test('is JSON, checked on both ways', () => {
    const sent = orders.serialize({ key: 'c17', value: { id: 'o1', eur: 3.5 } });
    expect(sent).toEqual({ key: 'c17', value: '{"id":"o1","eur":3.5}' });
    const raw = rawOf(sent);
    expect(orders.deserializers.key(raw)).toBe('c17');
    expect(orders.deserializers.value(raw)).toEqual({ id: 'o1', eur: 3.5 });
  });

  test('what it refuses is not written', () => {
    const write = () =>
      orders.serialize({ key: 'c17', value: { id: 'o1', eur: '3.5' as unknown as number } });
    const refusal = errorOf(write);
    expect(refusal).toMatchObject({ code: 'INVALID_RECORD_VALUE', retriable: false, topic: 'orders' });
    expect(refusal.message).toMatch(/^orders: the value is invalid: .*eur/);
    expect(refusal.record).toBeUndefined();
    expect(refusal.issues).toHaveLength(1);
  });

  test.each(['{"id":"o1"}', '[]', 'null', '{', ''])('nor read: %s', (value) => {
    const raw = rawOf({ key: 'c17', value });
    expect(() => orders.deserializers.value(raw)).toThrow(
      expect.objectContaining({ code: 'INVALID_RECORD_VALUE', record: raw }) as Error,
    );
  });

  test('a tombstone is none of its values', () => {
    expect(() => orders.deserializers.value(rawOf({ key: 'c17' }))).toThrow(InvalidRecord);
  });
});

test('a schema that takes null takes tombstones', () => {
  const orders = topic('orders', { key: serde.string, value: SCHEMAS.zod.nullable() });
  expect(orders.serialize({ key: 'c17', value: null })).toEqual({ key: 'c17', value: null });
  expect(orders.serialize({ key: 'c17' })).toEqual({ key: 'c17', value: null });
  expect(orders.deserializers.value(rawOf({ key: 'c17' }))).toBeNull();
});

test('what a schema changes is changed once, by who reads', () => {
  const value = z.object({
    name: z.string().transform((name) => `${name}!`),
    tag: z.string().default('none'),
  });
  const orders = topic('orders', { value });
  const sent = orders.serialize({ value: { name: 'x' } });
  expect(sent.value).toBe('{"name":"x"}');
  expect(orders.deserializers.value(rawOf(sent))).toEqual({ name: 'x!', tag: 'none' });
});

test('a schema that answers later is refused, and says why', () => {
  const orders = topic('orders', { value: z.string().refine(async () => true) });
  const late = /a schema of zod answers with a promise/;
  expect(() => orders.serialize({ value: 'x' })).toThrow(late);
  expect(() => orders.deserializers.value(rawOf({ value: '"x"' }))).toThrow(late);
});

describe('serdes', () => {
  test('whatever they write they read', () => {
    const all = topic('all', { key: serde.nullable(serde.string), value: serde.json<object>() });
    const json = fc.dictionary(fc.string(), fc.jsonValue());
    const key = fc.option(fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(key, json, (givenKey, value) => {
        const raw = rawOf(all.serialize({ key: givenKey, value }));
        expect(all.deserializers.key(raw)).toBe(givenKey);
        expect(all.deserializers.value(raw)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test.each([
    ['a text that is not UTF-8', topic('t', { value: serde.string }), Uint8Array.of(0xff)],
    ['no text', topic('t', { value: serde.string }), null],
    ['no bytes', topic('t', { value: serde.bytes }), null],
    ['no JSON', topic('t', { value: serde.json() }), null],
    ['JSON null', topic('t', { value: serde.json() }), ENCODER.encode('null')],
  ])('%s is invalid', (_, typed, valueBytes) => {
    const { value } = typed.deserializers;
    expect(() => value({ ...rawOf({}), valueBytes })).toThrow(InvalidRecord);
  });

  test.each([
    ['a number for a text', topic('t', { value: serde.string }), 5],
    ['a text for bytes', topic('t', { value: serde.bytes }), 'text'],
    ['what JSON cannot say', topic('t', { value: serde.json() }), 5n],
    ['what JSON has no word for', topic('t', { value: serde.json() }), () => {}],
    ['nothing for a text', topic('t', { value: serde.string }), undefined],
  ])('%s is not written', (_, typed, value) => {
    const write = typed.serialize as (record: { value: unknown }) => unknown;
    expect(() => write({ value })).toThrow(
      expect.objectContaining({ code: 'INVALID_RECORD_VALUE' }) as Error,
    );
  });

  test('an invalid key has its own code', () => {
    const orders = topic('orders', { key: serde.string });
    expect(() => orders.deserializers.key(rawOf({ value: 'x' }))).toThrow(
      expect.objectContaining({ code: 'INVALID_RECORD_KEY' }) as Error,
    );
  });

  test('of a name alone nothing is made', () => {
    const { isPlain, onInvalid, key, value } = deserializersOf('orders');
    const raw = rawOf({ value: 'x' });
    expect({ isPlain, onInvalid }).toEqual({ isPlain: true, onInvalid: 'throw' });
    expect(key(raw)).toBeNull();
    expect(value(raw)).toBe(raw.valueBytes);
  });
});

describe('onInvalid', () => {
  const orders = topic('orders', { value: SCHEMAS.zod });
  const raw = rawOf({ key: 'c17', value: '{}' });
  const record = {
    key: null,
    get value() {
      return orders.deserializers.value(raw);
    },
  };
  const invalid = invalidIn(record) as InvalidRecord;

  async function settle(onInvalid: OnInvalid): Promise<[string, ProducerRecord][]> {
    const sent: [string, ProducerRecord][] = [];
    await settleInvalid(invalid, onInvalid, async (...args) => sent.push(args));
    return sent;
  }

  test('a record that is as its topic says has nothing to settle', () => {
    expect(invalidIn({ key: null, value: 'x' })).toBeUndefined();
    expect(invalid).toMatchObject({ record: raw, field: 'value' });
  });

  test('throw', () => expect(settle('throw')).rejects.toBe(invalid));

  test('skip', () => expect(settle('skip')).resolves.toEqual([]));

  test('a function has it, and may throw', async () => {
    const seen: unknown[] = [];
    await settle((error, bad) => void seen.push(error, bad));
    expect(seen).toEqual([invalid, raw]);
    const own = new Error('enough');
    await expect(settle(() => Promise.reject(own))).rejects.toBe(own);
  });

  test('a dead letter is the record as it is, and where it was', async () => {
    const sent = await settle({ deadLetter: topic('orders-dead') });
    const reason = invalid.message;
    expect(sent).toEqual([
      [
        'orders-dead',
        {
          key: raw.keyBytes,
          value: raw.valueBytes,
          timestamp: 1000,
          headers: [
            { key: 'h', value: null },
            { key: 'dead-letter-topic', value: 'orders' },
            { key: 'dead-letter-partition', value: '3' },
            { key: 'dead-letter-offset', value: '17' },
            { key: 'dead-letter-reason', value: reason },
          ],
        },
      ],
    ]);
  });

  test('one that cannot be sent is not left out', async () => {
    const refused = new Error('no such topic');
    const settling = settleInvalid(invalid, { deadLetter: 'none' }, () => Promise.reject(refused));
    await expect(settling).rejects.toBe(refused);
  });
});
