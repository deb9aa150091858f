import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import { KafkaError } from '../../src/model/errors.ts';
import { heldBytes } from '../gateway/garbage.ts';

const MAX_BYTES = 1_000_000;

function prefixed(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + frame.length);
  new DataView(bytes.buffer).setInt32(0, frame.length);
  bytes.set(frame, 4);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/**
 * Pushes `stream` in pieces that end at `cuts`, each in memory of its own; or `inPlace`, all in one, as a host reads
 * that gives its sockets a buffer.
 */
function read(
  stream: Uint8Array,
  cuts: readonly number[],
  inPlace = false,
): { frames: Uint8Array[]; heldBytes: number } {
  const reader = new FrameReader(MAX_BYTES, inPlace);
  const frames: Uint8Array[] = [];
  let from = 0;
  for (const to of [
    ...cuts.map((cut) => cut % (stream.length + 1)).toSorted((a, b) => a - b),
    stream.length,
  ]) {
    const piece = inPlace ? stream.subarray(from, to) : stream.slice(from, to);
    reader.push(piece, (frame) => frames.push(frame));
    from = to;
  }
  return { frames, heldBytes: reader.heldBytes };
}

describe('frames', () => {
  test.each([false, true])('any cut of a stream gives the same frames (in place: %s)', (inPlace) => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ minLength: 20_000, maxLength: 40_000 }),
    );
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (frames, cuts) => {
          const got = read(joined(frames.map(prefixed)), cuts, inPlace);
          expect(got.frames.map((bytes) => Buffer.from(bytes))).toEqual(
            frames.map((bytes) => Buffer.from(bytes)),
          );
          expect(got.heldBytes).toBe(0);
        },
      ),
    );
  });

  test('byte by byte, too', () => {
    const frames = [new Uint8Array(0), new Uint8Array(3_000).fill(7), new Uint8Array([1])];
    const stream = joined(frames.map(prefixed));
    expect(read(stream, Array.from(stream.keys())).frames).toEqual(frames);
  });

  test('holds what has come of an unfinished message, whatever it announces', () => {
    const whole = prefixed(new Uint8Array(500));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), fc.array(fc.nat()), (length, cuts) => {
        const got = read(whole.subarray(0, length), cuts);
        expect(got).toEqual({ frames: [], heldBytes: length });
      }),
    );
  });

  test('a message within one chunk is a view of it', () => {
    const chunk = joined([prefixed(new Uint8Array([1, 2])), prefixed(new Uint8Array([3]))]);
    const frames: Uint8Array[] = [];
    new FrameReader(MAX_BYTES).push(chunk, (frame) => frames.push(frame));
    expect(frames.map((frame) => frame.buffer === chunk.buffer)).toEqual([true, true]);
  });

  test('the short start of a message does not keep the chunk it came in', () => {
    const reader = new FrameReader(MAX_BYTES);
    const chunk = joined([prefixed(new Uint8Array(60_000)), new Uint8Array([0, 0, 0, 8, 42])]);
    reader.push(chunk, () => {});
    chunk.fill(0xff);
    const frames: Uint8Array[] = [];
    reader.push(new Uint8Array(7), (frame) => frames.push(frame));
    expect(frames).toEqual([new Uint8Array([42, 0, 0, 0, 0, 0, 0, 0])]);
  });

  test('a client that trickles costs bytes, not objects', () => {
    const reader = new FrameReader(MAX_BYTES);
    const before = heldBytes();
    const size = 500_000;
    const stream = prefixed(new Uint8Array(size)).subarray(0, size);
    for (const byte of stream) reader.push(new Uint8Array([byte]), () => {});
    expect(reader.heldBytes).toBe(size);
    // As objects of their own, half a million bytes take over 50 MB.
    expect(heldBytes() - before).toBeLessThan(10_000_000);
    expect(reader.heldBytes).toBe(size);
  });

  const hello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01];
  test.each([
    ['a TLS hello', hello],
    ['HTTP', [...Buffer.from('GET / HTTP/1.1')]],
    ['a negative length', [0xff, 0xff, 0xff, 0xff]],
    ['2 GiB', [0x7f, 0xff, 0xff, 0xff]],
    ['one byte too many', [...prefixed(new Uint8Array(MAX_BYTES + 1)).subarray(0, 4)]],
  ])('%s is refused by its first four bytes, however they are cut', (_, bytes) => {
    for (const cut of [1, 2, 3, 4]) {
      const reader = new FrameReader(MAX_BYTES);
      const push = (from: number, to?: number) =>
        reader.push(new Uint8Array(bytes.slice(from, to)), () => {});
      expect(() => {
        push(0, cut);
        push(cut);
      }).toThrow(KafkaError);
    }
  });
});
