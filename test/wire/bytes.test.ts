import { describe, expect, test } from 'vitest';
import { Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';
import { WireError } from '../../src/wire/error.ts';

function written(write: (writer: Writer) => void): string {
  const writer = new Writer().start(false);
  write(writer);
  return Buffer.from(writer.finish()).toString('hex');
}

function reader(hex: string): Reader {
  return new Reader(Buffer.from(hex, 'hex'));
}

describe('int64', () => {
  test.each([
    [0, '0000000000000000'],
    [-1, 'ffffffffffffffff'],
    [2 ** 32, '0000000100000000'],
    [-(2 ** 32) - 1, 'fffffffeffffffff'],
    [Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    [Number.MIN_SAFE_INTEGER, 'ffe0000000000001'],
  ])('%d is %s', (value, hex) => {
    expect(written((writer) => writer.int64(value))).toBe(hex);
    expect(reader(hex).int64()).toBe(value);
  });

  test.each(['0020000000000000', 'ffe0000000000000', '7fffffffffffffff', '8000000000000000'])(
    '%s is beyond 2^53: refused, never rounded',
    (hex) => {
      expect(() => reader(hex).int64()).toThrow(WireError);
      expect(reader(hex).int64Exact()).toBe(BigInt.asIntN(64, BigInt(`0x${hex}`)));
    },
  );

  test.each([2 ** 53, -(2 ** 53), 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    '%d is not written',
    (value) => {
      expect(() => written((writer) => writer.int64(value))).toThrow(WireError);
    },
  );
});

describe('integers do not wrap', () => {
  test.each([
    ['int8', 0x80],
    ['int8', -0x81],
    ['int16', 0x8000],
    ['uint16', -1],
    ['uint16', 0x1_0000],
    ['int32', 0x8000_0000],
    ['int32', 1.5],
    ['uint32', -1],
    ['uint32', 0x1_0000_0000],
  ] as const)('%s refuses %d', (kind, value) => {
    expect(() => written((writer) => writer[kind](value))).toThrow(WireError);
  });

  test('int64Exact refuses 2^63', () => {
    expect(() => written((writer) => writer.int64Exact(2n ** 63n))).toThrow(WireError);
  });
});

describe('varints', () => {
  test.each([
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [0x1f_ffff, 'ffff7f'],
    [0x20_0000, '80808001'],
    [0xfff_ffff, 'ffffff7f'],
    [0x1000_0000, '8080808001'],
    [0xffff_ffff, 'ffffffff0f'],
  ])('%d is %s', (value, hex) => {
    expect(written((writer) => writer.unsignedVarint(value))).toBe(hex);
    expect(reader(hex).unsignedVarint()).toBe(value);
  });

  test.each(['ffffffff10', 'ffffffffff01', '808080808080', '80'])('%s is refused', (hex) => {
    expect(() => reader(hex).unsignedVarint()).toThrow(WireError);
  });
});

describe('text', () => {
  test.each([
    '',
    'a',
    'orders',
    'x'.repeat(33),
    'é',
    '日本語',
    '🦊 and fox',
    '\uFEFFbom',
    '\u0000',
    'ü'.repeat(16_383),
  ])('%j comes back', (text) => {
    expect(reader(written((writer) => writer.string(text))).string()).toBe(text);
    expect(reader(written((writer) => writer.compactString(text))).compactString()).toBe(text);
  });

  /** Texts read lately are kept: none may stand for another, however alike. */
  test.each([
    ['short', 3],
    ['longest that is kept', 32],
    ['longer', 33],
  ])('texts that differ in one byte are told apart (%s)', (_, length) => {
    const texts = Array.from({ length }, (_at, at) =>
      ['b', 'c', '\u007f', 'ü'].map((other) => 'a'.repeat(at) + other + 'a'.repeat(length - at - 1)),
    ).flat();
    for (const text of [...texts, ...texts.toReversed()])
      expect(reader(written((writer) => writer.string(text))).string()).toBe(text);
  });

  test('lone surrogates are written as U+FFFD, as any UTF-8 encoder does', () => {
    expect(written((writer) => writer.string('\uD800x\uDC00'))).toBe('0007efbfbd78efbfbd');
  });

  test('bytes that are not UTF-8 read as U+FFFD, as in Kafka', () => {
    expect(reader('0002ff41').string()).toBe('\uFFFDA');
  });

  test.each(['a'.repeat(0x8000), 'ü'.repeat(0x4000)])('more than 32767 bytes are refused', (text) => {
    expect(() => written((writer) => writer.string(text))).toThrow('a string of 32768 bytes');
    expect(() => written((writer) => writer.compactString(text))).toThrow('a string of 32768 bytes');
    const compact = Buffer.concat([Buffer.from('818002', 'hex'), Buffer.from(text)]);
    expect(() => new Reader(compact).compactString()).toThrow('a string of 32768 bytes');
  });

  test.each(['fffe', '8000'])('length %s is refused', (hex) => {
    expect(() => reader(hex).string()).toThrow(WireError);
  });
});

describe('bytes', () => {
  test('null and empty are told apart', () => {
    expect(written((writer) => writer.bytes(null))).toBe('ffffffff');
    expect(written((writer) => writer.bytes(new Uint8Array(0)))).toBe('00000000');
    expect(written((writer) => writer.compactBytes(null))).toBe('00');
    expect(written((writer) => writer.compactBytes(new Uint8Array(0)))).toBe('01');
    expect(reader('ffffffff').bytes()).toBeNull();
    expect(reader('00').compactBytes()).toBeNull();
    expect(() => reader('fffffffe').bytes()).toThrow(WireError);
  });

  test('are views into the frame, wherever it starts in its memory', () => {
    const memory = Buffer.from('eeee00000002aabb', 'hex');
    const view = new Reader(memory.subarray(2)).bytes() as Uint8Array;
    expect(view).toEqual(Uint8Array.of(0xaa, 0xbb));
    expect(view.buffer).toBe(memory.buffer);
    expect(Object.getPrototypeOf(view)).toBe(Uint8Array.prototype);
  });
});

describe('a reader', () => {
  test('stays in its frame, whatever lies around it in the same memory', () => {
    const memory = Buffer.from('00010002000300040005', 'hex');
    const [one, other] = [new Reader(memory.subarray(2, 6)), new Reader(memory.subarray(4, 8), 2)];
    expect([one.position, one.remaining, other.position, other.remaining]).toEqual([0, 4, 2, 2]);
    expect([one.int16(), other.int16(), one.int16()]).toEqual([2, 4, 3]);
    expect([one.position, other.position]).toEqual([4, 4]);
    expect(() => one.int8()).toThrow('1 bytes wanted, 0 left');
  });

  test('reads memory anew that was written meanwhile', () => {
    const memory = Uint8Array.of(0, 1, 0x41);
    expect(new Reader(memory).string()).toBe('A');
    memory[2] = 0x42;
    expect(new Reader(memory).string()).toBe('B');
  });
});

describe('UUIDs', () => {
  test('that differ in one byte are told apart', () => {
    const ids = Array.from({ length: 16 }, (_, at) =>
      [1, 2].map((byte) =>
        Buffer.alloc(16)
          .fill(byte, at, at + 1)
          .toString('hex'),
      ),
    ).flat();
    for (const hex of [...ids, ...ids.toReversed()])
      expect(reader(hex).uuid()).toBe(Buffer.from(hex, 'hex').toString('base64url'));
  });

  test.each([
    ['AAAAAAAAAAAAAAAAAAAAAA', '00000000000000000000000000000000'],
    ['AAAAAAAAAAAAAAAAAAAAAQ', '00000000000000000000000000000001'],
    ['_____________________w', 'ffffffffffffffffffffffffffffffff'],
    ['-gECAwQFBgcICQoLDA0ODw', 'fa0102030405060708090a0b0c0d0e0f'],
  ])('%s is %s', (id, hex) => {
    expect(written((writer) => writer.uuid(id))).toBe(hex);
    expect(reader(hex).uuid()).toBe(id);
  });

  test.each([
    '',
    'AAAA',
    'AAAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAAB',
    'AAAAAAAAAAA+AAAAAAAAAA',
    'ééééééééééééééééééééééé',
  ])('%j is none', (id) => {
    expect(() => written((writer) => writer.uuid(id))).toThrow(WireError);
  });
});

describe('Writer', () => {
  test('starts anew after a message that failed', () => {
    const writer = new Writer();
    writer.start(true).bytes(new Uint8Array(5_000));
    expect(() => writer.int8(1_000)).toThrow(WireError);
    writer.start(false).int8(7);
    expect(writer.finish()).toEqual(Uint8Array.of(7));
  });

  test('what is finished stays as it is when the writer goes on', () => {
    const writer = new Writer();
    writer.start(false).int32(1);
    const first = writer.finish();
    writer.start(false).int32(2);
    expect(first).toEqual(Uint8Array.of(0, 0, 0, 1));
  });

  test('holds a message that is larger than its scratch memory', () => {
    const large = Uint8Array.from({ length: 3_000_000 }, (_, i) => i);
    expect(reader(written((writer) => writer.bytes(large))).bytes()).toEqual(large);
  });

  test.each<[string, (writer: Writer) => void, string]>([
    ['bool', (writer) => writer.bool(true), '01'],
    ['int8', (writer) => writer.int8(-2), 'fe'],
    ['int16', (writer) => writer.int16(-2), 'fffe'],
    ['uint16', (writer) => writer.uint16(2), '0002'],
    ['int32', (writer) => writer.int32(-2), 'fffffffe'],
    ['uint32', (writer) => writer.uint32(2), '00000002'],
    ['int64', (writer) => writer.int64(-2), 'fffffffffffffffe'],
    ['int64Exact', (writer) => writer.int64Exact(-2n), 'fffffffffffffffe'],
    ['float64', (writer) => writer.float64(2), '4000000000000000'],
    ['uuid', (writer) => writer.uuid('AAAAAAAAAAAAAAAAAAAAAg'), `${'00'.repeat(15)}02`],
    ['unsignedVarint', (writer) => writer.unsignedVarint(300), 'ac02'],
    ['string', (writer) => writer.string('ab'), '00026162'],
    ['compactString', (writer) => writer.compactString('ab'), '036162'],
    ['bytes', (writer) => writer.bytes(Uint8Array.of(1)), '0000000101'],
  ])('%s may be what its scratch memory has no room for', (_, write, hex) => {
    for (let before = 16 * 1024 - 17; before <= 16 * 1024; before++) {
      const all = written((writer) => {
        for (let at = 0; at < before; at++) writer.int8(0);
        write(writer);
      });
      expect(all.slice(before * 2)).toBe(hex);
    }
  });

  test('a sized part of 200 bytes makes room for a longer size', () => {
    const hex = written((writer) => {
      const mark = writer.beginSized();
      writer.bytes(new Uint8Array(196).fill(0xab));
      writer.endSized(mark);
      writer.int8(1);
    });
    expect(hex).toBe(`c801000000c4${'ab'.repeat(196)}01`);
  });
});
