import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { Client } from '../../../src/client/client.ts';
import type { Producer } from '../../../src/client/producer/producer.ts';
import type { ProducerRecord, RecordBytes } from '../../../src/client/producer/record.ts';
import { serde } from '../../../src/client/topics/serde.ts';
import { deserializersOf, type ReadableTopic, topic } from '../../../src/client/topics/topic.ts';

/** What `tsc` says of topics: these run, but what they say is checked by `npm run check`. */

interface Order {
  id: string;
  eur: number;
}

/** What somebody who reads it gets. */
function readAs<K = Uint8Array | null, V = Uint8Array | null>(
  given: ReadableTopic<K, V>,
): { key: K; value: V } {
  const { key, value } = deserializersOf(given);
  return {} as { key: ReturnType<typeof key>; value: ReturnType<typeof value> };
}

/** What somebody who writes it gives. */
type Written<T extends { serialize: (record: never) => unknown }> = Parameters<T['serialize']>[0];

describe('what is read', () => {
  test('of a name: bytes or none', () => {
    expectTypeOf(readAs('orders')).toEqualTypeOf<{ key: Uint8Array | null; value: Uint8Array | null }>();
    expectTypeOf(readAs(topic('orders'))).toEqualTypeOf<{
      key: Uint8Array | null;
      value: Uint8Array | null;
    }>();
  });

  test('null only where it may be (types that lie about null keys, kjs#1036)', () => {
    const plain = topic('orders', { key: serde.string, value: serde.json<Order>() });
    expectTypeOf(readAs(plain)).toEqualTypeOf<{ key: string; value: Order }>();
    const compacted = topic('orders', { key: serde.string, value: serde.nullable(serde.json<Order>()) });
    expectTypeOf(readAs(compacted)).toEqualTypeOf<{ key: string; value: Order | null }>();
    const valueOnly = topic('orders', { value: serde.bytes });
    expectTypeOf(readAs(valueOnly)).toEqualTypeOf<{ key: Uint8Array | null; value: Uint8Array }>();
  });

  test('of schemas: what they make of it', () => {
    const withZod = topic('orders', {
      key: z.string(),
      value: z.object({ id: z.string(), eur: z.number() }).nullable(),
    });
    expectTypeOf(readAs(withZod)).toEqualTypeOf<{ key: string; value: Order | null }>();
    const withValibot = topic('orders', { value: v.object({ id: v.string(), eur: v.number() }) });
    expectTypeOf(readAs(withValibot).value).toEqualTypeOf<Order>();
    const withArk = topic('orders', { value: type({ id: 'string', eur: 'number' }) });
    expectTypeOf(readAs(withArk).value).toEqualTypeOf<Order>();
  });
});

describe('what is written', () => {
  test('to a name: bytes and texts', () => {
    type Given = { key?: RecordBytes | null; value?: RecordBytes | null };
    expectTypeOf<Given>().toExtend<ProducerRecord>();
    expectTypeOf<{ value: number }>().not.toExtend<ProducerRecord>();
  });

  test('what may be null may be left out, nothing else may', () => {
    const orders = topic('orders', { key: serde.nullable(serde.string), value: serde.json<Order>() });
    type Given = Written<typeof orders>;
    expectTypeOf<{ value: Order }>().toExtend<Given>();
    expectTypeOf<{ key: null; value: Order; partition: 1 }>().toExtend<Given>();
    expectTypeOf<{ key: string }>().not.toExtend<Given>();
    expectTypeOf<{ value: null }>().not.toExtend<Given>();
    expectTypeOf<{ key: number; value: Order }>().not.toExtend<Given>();
  });

  test('to a schema that changes what it reads: what it takes, not what it gives', () => {
    const orders = topic('orders', {
      value: z.object({ at: z.iso.datetime().transform((at) => at.length) }),
    });
    expectTypeOf(readAs(orders).value).toEqualTypeOf<{ at: number }>();
    expectTypeOf<{ value: { at: string } }>().toExtend<Written<typeof orders>>();
    expectTypeOf<{ value: { at: number } }>().not.toExtend<Written<typeof orders>>();
  });

  test('by send, write and writable of client and producer', () => {
    const orders = topic('orders', { key: serde.string, value: serde.json<Order>() });
    const write = (client: Client, producer: Producer) => {
      const record = { key: 'c17', value: { id: 'o1', eur: 3 } };
      expectTypeOf(client.send(orders, record)).resolves.toHaveProperty('offset');
      expectTypeOf(client.send(orders, [record])).resolves.toHaveProperty('length');
      expectTypeOf(producer.write(orders, record)).toEqualTypeOf<Promise<void>>();
      expectTypeOf(producer.writable(orders)).toEqualTypeOf<WritableStream<ProducerRecord<string, Order>>>();
      expectTypeOf(producer.writable('orders')).toEqualTypeOf<WritableStream<ProducerRecord>>();
      // @ts-expect-error a number is no key of it
      void client.send(orders, { key: 17, value: record.value });
      // @ts-expect-error a value cannot be left out
      void producer.send(orders, [{ key: 'c17' }]);
      // @ts-expect-error a name takes bytes and texts
      void producer.write('orders', { value: record.value });
    };
    expectTypeOf(write).toBeFunction();
  });
});
