import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSnapshot, encodeSnapshot } from '../../src/log/producer-snapshot.ts';
import { ProducerStates } from '../../src/log/producers.ts';
import type { Verdict } from '../../src/log/producers.ts';
import { follows, sequenceAfter, sequenceBefore } from '../../src/records/sequences.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import type { BatchSpec } from '../../src/records/builder.ts';
import { ControlType, controlKey } from '../../src/records/control.ts';
import { BatchHeader } from '../../src/records/header.ts';
import { batch, kernels, NOW, sequenced } from './fixtures.ts';

const SEQUENCE_MAX = 0x7fff_ffff;

/** Producer state beside a log that only counts. */
class Writer {
  states = new ProducerStates();
  nextOffset = 0;

  /** Appends if it may. */
  send(bytes: Uint8Array, origin: 'client' | 'coordinator' = 'client'): Verdict {
    const header = new BatchHeader(bytes);
    const verdict = this.states.check(header, { origin });
    if (verdict.type !== 'ok') return verdict;
    header.stamp(this.nextOffset, 0);
    this.states.update(header, kernels, NOW);
    this.nextOffset = header.lastOffset + 1;
    return verdict;
  }

  marker(type: 'commit' | 'abort', spec: Partial<BatchSpec> = {}): Verdict {
    const value = Uint8Array.of(0, 0, 0, 0, 0, 5);
    const records = [{ key: controlKey(ControlType[type]), value, timestamp: NOW + 9 }];
    const marker = batch({
      producerId: 7,
      producerEpoch: 0,
      isControl: true,
      isTransactional: true,
      ...spec,
      records,
    });
    return this.send(marker, 'coordinator');
  }
}

const outOfOrder = expect.objectContaining({
  type: 'error',
  errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
});
const oldEpoch = expect.objectContaining({ type: 'error', errorCode: ErrorCode.INVALID_PRODUCER_EPOCH });
const ok = { type: 'ok' };

describe('sequences', () => {
  test('wrap after 2147483647', () => {
    expect(sequenceAfter(SEQUENCE_MAX, 0)).toBe(SEQUENCE_MAX);
    expect(sequenceAfter(SEQUENCE_MAX, 1)).toBe(0);
    expect(sequenceAfter(SEQUENCE_MAX - 2, 9)).toBe(6);
    expect(sequenceBefore(6, 9)).toBe(SEQUENCE_MAX - 2);
    expect(follows(SEQUENCE_MAX, 0)).toBe(true);
    expect(follows(SEQUENCE_MAX, SEQUENCE_MAX + 1)).toBe(false);
    expect(follows(-1, 0)).toBe(true);
  });

  test('go back the way they came', () => {
    const sequence = fc.nat(SEQUENCE_MAX);
    fc.assert(
      fc.property(sequence, sequence, (from, steps) => {
        const to = sequenceAfter(from, steps);
        expect(to >= 0 && to <= SEQUENCE_MAX).toBe(true);
        expect(sequenceBefore(to, steps)).toBe(from);
      }),
    );
  });
});

describe('a client that writes in order', () => {
  test('is let through, and each of its last five batches is known again with its first offset', () => {
    const writer = new Writer();
    for (let i = 0; i < 7; i++) expect(writer.send(sequenced(i * 3, { count: 3 }))).toEqual(ok);
    for (let i = 2; i < 7; i++) {
      const again = writer.send(sequenced(i * 3, { count: 3 }));
      const mark = { firstOffset: i * 3, lastOffset: i * 3 + 2, timestamp: NOW };
      expect(again).toEqual({ type: 'duplicate', batch: expect.objectContaining(mark) });
    }
    expect(writer.nextOffset).toBe(21);
  });

  test('that goes further back than five, leaves a gap, or cuts a batch differently is refused', () => {
    const writer = new Writer();
    for (let i = 0; i < 7; i++) writer.send(sequenced(i * 3, { count: 3 }));
    expect(writer.send(sequenced(3, { count: 3 }))).toEqual(outOfOrder);
    expect(writer.send(sequenced(22))).toEqual(outOfOrder);
    expect(writer.send(sequenced(18, { count: 2 }))).toEqual(outOfOrder);
    expect(writer.send(sequenced(20, { count: 2 }))).toEqual(outOfOrder);
    expect(writer.send(sequenced(21))).toEqual(ok);
  });

  test('goes on over the wrap, in the middle of a batch or between two', () => {
    const writer = new Writer();
    expect(writer.send(sequenced(SEQUENCE_MAX - 1, { count: 4 }))).toEqual(ok);
    expect(writer.send(sequenced(SEQUENCE_MAX - 1, { count: 4 }))).toMatchObject({ type: 'duplicate' });
    expect(writer.send(sequenced(2))).toEqual(ok);
    const other = { producerId: 8 };
    expect(writer.send(sequenced(SEQUENCE_MAX, other))).toEqual(ok);
    expect(writer.send(sequenced(0, other))).toEqual(ok);
    expect(writer.send(sequenced(2, other))).toEqual(outOfOrder);
  });
});

describe('epochs', () => {
  test('an older one is refused, a newer one starts at 0 and forgets the batches before', () => {
    const writer = new Writer();
    writer.send(sequenced(0, { producerEpoch: 4 }));
    expect(writer.send(sequenced(1, { producerEpoch: 3 }))).toEqual(oldEpoch);
    expect(writer.send(sequenced(1, { producerEpoch: 5 }))).toEqual(outOfOrder);
    expect(writer.send(sequenced(0, { producerEpoch: 5 }))).toEqual(ok);
    expect(writer.send(sequenced(0, { producerEpoch: 4 }))).toEqual(oldEpoch);
    expect(writer.states.get(7)?.batches).toHaveLength(1);
  });

  test('an unknown producer may start anywhere: its state may have expired', () => {
    expect(new Writer().send(sequenced(99))).toEqual(ok);
  });

  test('a batch without producer id leaves no state', () => {
    const writer = new Writer();
    expect(writer.send(batch())).toEqual(ok);
    expect(writer.states.size).toBe(0);
  });
});

describe('transactions', () => {
  test('hold back the stable offset until their marker', () => {
    const writer = new Writer();
    writer.send(batch({ count: 5 }));
    writer.send(sequenced(0, { isTransactional: true }));
    writer.send(sequenced(0, { producerId: 8, isTransactional: true }));
    expect(writer.states.firstUnstableOffset).toBe(5);
    expect(writer.marker('commit')).toEqual(ok);
    expect(writer.states.firstUnstableOffset).toBe(6);
    expect(writer.marker('abort', { producerId: 8 })).toEqual(ok);
    expect(writer.states.firstUnstableOffset).toBeUndefined();
    expect(writer.states.get(7)).toMatchObject({ coordinatorEpoch: 5, lastTimestamp: NOW + 9 });
  });

  test('a plain batch inside one is refused; sequences go on after the marker', () => {
    const writer = new Writer();
    writer.send(sequenced(0, { isTransactional: true }));
    expect(writer.send(sequenced(1))).toMatchObject({ errorCode: ErrorCode.INVALID_TXN_STATE });
    writer.marker('commit');
    expect(writer.send(sequenced(1, { isTransactional: true }))).toEqual(ok);
  });

  test('a marker of an older epoch is refused, of a newer one fences', () => {
    const writer = new Writer();
    writer.send(sequenced(0, { producerEpoch: 3, isTransactional: true }));
    expect(writer.marker('abort', { producerEpoch: 2 })).toEqual(oldEpoch);
    expect(writer.marker('abort', { producerEpoch: 4 })).toEqual(ok);
    expect(writer.send(sequenced(1, { producerEpoch: 3 }))).toEqual(oldEpoch);
    expect(writer.send(sequenced(0, { producerEpoch: 4 }))).toEqual(ok);
  });
});

describe('expiry', () => {
  const DAY = 86_400_000;
  const lastWeek = { records: [{ timestamp: NOW - 7 * DAY }] };

  test('forgets who was not seen for that long, unless a transaction is open', () => {
    const writer = new Writer();
    writer.send(sequenced(0, lastWeek));
    writer.send(sequenced(0, { producerId: 8, isTransactional: true }));
    writer.states.expire(NOW + DAY - 1, DAY);
    expect(writer.states.size).toBe(2);
    writer.states.expire(NOW + DAY, DAY);
    expect(writer.states.all().map(({ producerId }) => producerId)).toEqual([8]);
  });

  test('after a load leaves a quarter of an hour to those whose records are old', () => {
    const writer = new Writer();
    writer.send(sequenced(0, lastWeek));
    writer.states.seenBeforeLoad(NOW, DAY);
    writer.states.expire(NOW + 899_999, DAY);
    expect(writer.states.size).toBe(1);
    writer.states.expire(NOW + 900_000, DAY);
    expect(writer.states.size).toBe(0);
  });
});

test('a producer that retries anything in flight, in any order, is appended once and in order', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 30 });
  const retries = fc.array(fc.nat(4), { maxLength: 60 });
  fc.assert(
    fc.property(sizes, retries, fc.nat(SEQUENCE_MAX), (counts, backs, start) => {
      const writer = new Writer();
      const sent: { bytes: Uint8Array; offset: number }[] = [];
      let sequence = start;
      for (const [index, count] of counts.entries()) {
        sent.push({ bytes: sequenced(sequence, { count }), offset: writer.nextOffset });
        expect(writer.send(sent[index]!.bytes)).toEqual(ok);
        sequence = sequenceAfter(sequence, count);
        const retried = sent[index - (backs[index] ?? 0)];
        if (!retried) continue;
        const verdict = writer.send(new Uint8Array(retried.bytes));
        expect(verdict).toMatchObject({ type: 'duplicate', batch: { firstOffset: retried.offset } });
      }
      expect(writer.nextOffset).toBe(counts.reduce((sum, count) => sum + count, 0));
    }),
  );
});

describe('the snapshot', () => {
  test("is Kafka's file: one entry for each remembered batch, the newest last", () => {
    const writer = new Writer();
    writer.send(batch({ count: 3 }));
    writer.send(sequenced(40, { count: 2, producerEpoch: 1 }));
    writer.send(sequenced(42, { producerEpoch: 1, isTransactional: true }));
    const bytes = Buffer.from(encodeSnapshot(writer.states, kernels));
    expect(bytes.readInt16BE(0)).toBe(1);
    expect(bytes.readUInt32BE(2)).toBe(kernels.crc32c(bytes.subarray(6)));
    expect(bytes.readInt32BE(6)).toBe(2);
    expect(bytes).toHaveLength(10 + 2 * 46);
    const entry = bytes.subarray(10 + 46);
    expect(entry.readBigInt64BE(0)).toBe(7n);
    expect(entry.readInt16BE(8)).toBe(1);
    expect(entry.readInt32BE(10)).toBe(42);
    expect(entry.readBigInt64BE(14)).toBe(5n);
    expect(entry.readInt32BE(22)).toBe(0);
    expect(entry.readBigInt64BE(26)).toBe(BigInt(NOW));
    expect(entry.readInt32BE(34)).toBe(-1);
    expect(entry.readBigInt64BE(38)).toBe(5n);
  });

  test('reads back to the same state', () => {
    const writer = new Writer();
    for (let i = 0; i < 9; i++) writer.send(sequenced(SEQUENCE_MAX - 10 + i * 3, { count: 3 }));
    for (let id = 20; id > 10; id--)
      writer.send(sequenced(id, { producerId: id, isTransactional: id % 2 === 0 }));
    writer.marker('abort', { producerId: 12 });
    writer.marker('commit', { producerId: 99 });
    const decoded = decodeSnapshot(encodeSnapshot(writer.states, kernels), kernels);
    expect(decoded?.all()).toEqual(writer.states.all());
  });

  test('is refused when cut, changed, or of another version', () => {
    const writer = new Writer();
    writer.send(sequenced(0));
    const whole = encodeSnapshot(writer.states, kernels);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = new Uint8Array(whole);
        changed[at] = changed[at]! ^ change;
        expect(decodeSnapshot(changed, kernels)).toBeUndefined();
        expect(decodeSnapshot(whole.subarray(0, at), kernels)).toBeUndefined();
      }),
    );
  });
});
