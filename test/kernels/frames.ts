import fc from 'fast-check';
import { twinLz } from './instances.ts';
import { join } from './generate.ts';
import { xxh32 } from '../../src/kernels/twins/xxh32.ts';

/** Bytes that repeat near and far, with stretches that do not: all kinds of matches and literals. */
export const mixed: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(30_000))
        .map(([unit, length]) => repeat(unit, length)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => join(...parts));

export function repeat(unit: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => unit[index % unit.length]!);
}

export interface FrameShape {
  isLinked?: boolean;
  hasBlockSums?: boolean;
  hasContentSum?: boolean;
  hasSize?: boolean;
  /** 4 to 7: 64 KiB, 256 KiB, 1 MiB, 4 MiB. */
  sizeCode?: number;
  /** As Kafka's clients summed headers until 0.10: over the magic, too. */
  hasOldSum?: boolean;
}

export const shape: fc.Arbitrary<FrameShape> = fc.record({
  isLinked: fc.boolean(),
  hasBlockSums: fc.boolean(),
  hasContentSum: fc.boolean(),
  hasSize: fc.boolean(),
  sizeCode: fc.integer({ min: 4, max: 7 }),
  hasOldSum: fc.boolean(),
});

export interface FrameBlock {
  /** As it lies in the frame. */
  bytes: Uint8Array;
  isStored?: boolean;
}

/** A frame around blocks, with all it announces true. @param content what the blocks unpack to. */
export function frame(
  blocks: readonly FrameBlock[],
  content: Uint8Array,
  shape: FrameShape = {},
): Uint8Array {
  const { sizeCode = 4 } = shape;
  const flags =
    0x40 |
    (shape.isLinked ? 0 : 0x20) |
    (shape.hasBlockSums ? 0x10 : 0) |
    (shape.hasSize ? 8 : 0) |
    (shape.hasContentSum ? 4 : 0);
  const size = shape.hasSize ? new Uint8Array(new BigUint64Array([BigInt(content.length)]).buffer) : [];
  const descriptor = Uint8Array.of(flags, sizeCode << 4, ...size);
  const magic = uint32(0x184d2204);
  const summed = shape.hasOldSum ? join(magic, descriptor) : descriptor;
  return join(
    magic,
    descriptor,
    Uint8Array.of(xxh32(summed) >>> 8),
    ...blocks.flatMap(({ bytes, isStored }) => [
      uint32(bytes.length + (isStored ? 0x8000_0000 : 0)),
      bytes,
      shape.hasBlockSums ? uint32(xxh32(bytes)) : new Uint8Array(),
    ]),
    uint32(0),
    shape.hasContentSum ? uint32(xxh32(content)) : new Uint8Array(),
  );
}

/** The blocks that our own packing makes of `content`. */
export function blocksOf(content: Uint8Array): FrameBlock[] {
  const packed = twinLz.packLz4(content);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const blocks: FrameBlock[] = [];
  for (let at = 7; at < packed.length - 4;) {
    const announced = view.getUint32(at, true);
    const size = announced % 0x8000_0000;
    blocks.push({ bytes: packed.subarray(at + 4, at + 4 + size), isStored: announced >= 0x8000_0000 });
    at += 4 + size;
  }
  return blocks;
}

export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
