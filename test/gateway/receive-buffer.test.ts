import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReceiveBuffer } from '../../src/hosts/node/receive-buffer.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';

/** Reads `stream` as a socket would, so much at a time. @returns the messages, and those of them that were joined. */
function read(stream: Uint8Array, sizes: readonly number[]) {
  const frames = new FrameReader(1024 * 1024, true);
  const buffer = new ReceiveBuffer();
  const messages: Uint8Array[] = [];
  const memory = new Set<ArrayBufferLike>();
  for (let at = 0, number = 0; at < stream.length; number++) {
    const space = buffer.next(frames);
    memory.add(space.buffer);
    const size = Math.min(sizes[number % sizes.length]!, space.length, stream.length - at);
    space.set(stream.subarray(at, at + size));
    frames.push(buffer.take(size), (frame) => messages.push(frame));
    at += size;
  }
  return { messages, joined: messages.filter((message) => !memory.has(message.buffer)) };
}

function streamOf(sizes: readonly number[]): Uint8Array {
  return Buffer.concat(
    sizes.map((size, number) => {
      const message = Buffer.alloc(4 + size, number);
      message.writeInt32BE(size);
      return message;
    }),
  );
}

const messageSize = fc.oneof(fc.nat(100), fc.nat(5_000), fc.nat(70_000), fc.nat(300_000));

test('messages come as they were sent, whatever a read brings, and later ones do not touch them', () => {
  fc.assert(
    fc.property(
      fc.array(messageSize, { minLength: 1, maxLength: 12 }),
      fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1_000, max: 70_000 })), {
        minLength: 1,
        maxLength: 5,
      }),
      (sizes, reads) => {
        const { messages } = read(streamOf(sizes), [...reads, 20_000]);
        expect(messages.map(({ length }) => length)).toEqual(sizes);
        for (const [number, message] of messages.entries())
          expect(message.every((byte) => byte === number)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test('once buffers have grown, a message that fits one lies in it', () => {
  const { messages, joined } = read(streamOf(Array.from({ length: 60 }, () => 65_700)), [
    64 * 1024,
    1,
    30_000,
  ]);
  expect(messages.length).toBe(60);
  expect(joined.length).toBeLessThanOrEqual(4);
});
