import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReceiveSpace } from '../../src/client/receive-space.ts';

const MESSAGE_MAX_BYTES = 1024 * 1024;

/** Messages as they come, each with its length before it. */
function framed(messages: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    messages.flatMap((message) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(message.length);
      return [length, message];
    }),
  );
}

/** Puts bytes where the space wants them, at most so many at a time. @returns the messages, as they are at the end. */
function receive(space: ReceiveSpace, bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const into = space.space();
    const size = Math.min(cuts[turn % cuts.length] ?? 1, into.length, bytes.length - at);
    into.set(bytes.subarray(at, at + size));
    at += size;
    space.filled(size, (frame) => frames.push(frame));
  }
  return frames;
}

describe('memory that a transport reads into', () => {
  test('each message comes whole, and what comes later leaves it alone', () => {
    const message = fc.oneof(
      { weight: 5, arbitrary: fc.uint8Array({ maxLength: 300 }) },
      fc.nat(150_000).map((size) => new Uint8Array(size).fill(size)),
    );
    const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 200_000 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(fc.array(message), cuts, (messages, sizes) => {
        const frames = receive(new ReceiveSpace(MESSAGE_MAX_BYTES), framed(messages), [...sizes, 65_536]);
        expect(frames.map(({ length }) => length)).toEqual(messages.map(({ length }) => length));
        for (const [at, frame] of frames.entries())
          expect(Buffer.compare(frame, messages[at] ?? Buffer.alloc(0)), `message ${at}`).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  test('memory is used again once all that lies in it was given back, and not before', () => {
    const sizes = fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 50_000, max: 150_000 })), {
      minLength: 20,
    });
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(3), { minLength: 1 }), (lengths, delays) => {
        const space = new ReceiveSpace(MESSAGE_MAX_BYTES);
        const held: { frame: Uint8Array; number: number }[] = [];
        for (const [number, length] of lengths.entries()) {
          const [frame] = receive(space, framed([new Uint8Array(length).fill(number)]), [40_000]);
          if (frame === undefined) throw new Error('no message came');
          held.push({ frame, number });
          while (held.length > (delays[number % delays.length] ?? 0)) {
            const first = held.shift();
            expect(first?.frame.every((byte) => byte === first.number)).toBe(true);
            if (first !== undefined) space.giveBack(first.frame.buffer);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('who gives back at once needs little memory', () => {
    const space = new ReceiveSpace(MESSAGE_MAX_BYTES);
    const buffers = new Set<ArrayBufferLike>();
    for (let turn = 0; turn < 50; turn++) {
      const [frame] = receive(space, framed([new Uint8Array(500_000)]), [64_000]);
      if (frame === undefined) throw new Error('no message came');
      buffers.add(frame.buffer);
      space.giveBack(frame.buffer);
    }
    expect(buffers.size).toBeLessThan(6);
  });

  test('there is always room', () => {
    const space = new ReceiveSpace(MESSAGE_MAX_BYTES);
    for (let turn = 0; turn < 10; turn++) {
      const into = space.space();
      expect(into.length).toBeGreaterThan(0);
      // A length, and then nothing else but zeros: empty messages.
      into.fill(0);
      space.filled(into.length, () => {});
    }
  });

  test('memory is not taken for what a length merely announces', () => {
    const space = new ReceiveSpace(512 * 1024 * 1024);
    space.space().set([0x1f, 0xff, 0xff, 0xff, 0, 0]);
    space.filled(6, () => {});
    expect(space.space().length).toBeLessThan(20 * 1024 * 1024);
  });

  test('a length that no message has is refused', () => {
    const space = new ReceiveSpace(MESSAGE_MAX_BYTES);
    space.space().set(Buffer.from('HTTP/1.1 400 Bad Request'));
    expect(() => space.filled(24, () => {})).toThrow('message length');
  });
});
