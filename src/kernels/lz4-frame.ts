import { PackFault } from './kernels.ts';

const FRAME_MAGIC = 0x184d2204;
/** The low four bits are free. */
const SKIPPABLE_MAGIC = 0x184d2a50;
/**
 * Magic; version 1 with independent blocks; blocks of 64 KiB; checksum of the two bytes before. What Java writes,
 * whose reader refuses linked blocks.
 */
export const FRAME_HEADER = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82);
/** A block of size 0 ends a frame. */
export const FRAME_END_SIZE = 4;
export const STORED_BLOCK = 0x8000_0000;
/** The largest block a frame can announce. */
export const FRAME_BLOCK_MAX = 4 * 1024 * 1024;
/** How far back a match can reach. */
export const LZ4_HISTORY = 65_536;
/** A length byte of a match is worth at most 255. */
export const EXPANSION_MAX = 255;

const FLAG = {
  version: 0xc0,
  version1: 0x40,
  independent: 0x20,
  blockSum: 0x10,
  contentSize: 0x08,
  contentSum: 0x04,
  reserved: 0x02,
  dictionary: 0x01,
};
/** Of the byte that says the block size: all but its three bits. */
const BLOCK_SIZE_RESERVED = 0x8f;
const NONE = 0;

/** What `unpack` says when it cannot give a length. Numbers below these pass through {@link readFrames} as they are. */
export const BlockFault = { corrupt: -1, noRoom: -2 } as const;

/** Where frames are unpacked to, and the kernels that do it: WASM's, or the twin's. */
export interface FrameSink {
  xxh32(bytes: Uint8Array): number;
  /** Content from here on is a new frame's: no match reaches before it. */
  beginFrame(isSummed: boolean): void;
  /** Appends what a block unpacks to, `maxBytes` at most. @returns how much, or a fault. */
  unpack(block: Uint8Array, maxBytes: number, isLinked: boolean): number;
  /** Appends a block that was stored as it is. @returns its length, or a fault. */
  store(block: Uint8Array): number;
  /** xxh32 of the frame's content, when it `isSummed`. */
  contentSum(): number;
}

interface FrameHeader {
  flags: number;
  blockMaxBytes: number;
  contentSize: number | undefined;
}

/** Reads frames (lz4.org, "LZ4 Frame Format Description") into `sink`. @returns 0, or the fault. */
export function readFrames(bytes: Uint8Array, maxBytes: number, sink: FrameSink): number {
  return new FrameReader(bytes, maxBytes, sink).read();
}

class FrameReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #sink: FrameSink;
  #at = 0;
  /** Bytes that the output may still grow by. */
  #left: number;

  constructor(bytes: Uint8Array, maxBytes: number, sink: FrameSink) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#left = maxBytes;
    this.#sink = sink;
  }

  read(): number {
    while (this.#at < this.#bytes.length) {
      const magic = this.#uint32();
      const fault = magic === FRAME_MAGIC ? this.#frame() : this.#skippable(magic);
      if (fault < 0) return fault;
    }
    return NONE;
  }

  #skippable(magic: number): number {
    if ((magic & ~0xf) !== SKIPPABLE_MAGIC) return PackFault.corrupt;
    const size = this.#uint32();
    if (size < 0 || size > this.#bytes.length - this.#at) return PackFault.corrupt;
    this.#at += size;
    return NONE;
  }

  #frame(): number {
    const header = this.#header();
    if (typeof header === 'number') return header;
    const { flags, contentSize } = header;
    this.#sink.beginFrame((flags & FLAG.contentSum) !== 0);
    const before = this.#left;
    for (;;) {
      const announced = this.#uint32();
      if (announced < 0) return PackFault.corrupt;
      if (announced === 0) break;
      const fault = this.#block(announced, header);
      if (fault < 0) return fault;
    }
    if (contentSize !== undefined && contentSize !== before - this.#left) return PackFault.corrupt;
    return (flags & FLAG.contentSum) === 0 ? NONE : this.#checkSum(() => this.#sink.contentSum());
  }

  #header(): FrameHeader | PackFault {
    const start = this.#at;
    if (this.#bytes.length - start < 3) return PackFault.corrupt;
    const flags = this.#bytes[start]!;
    const blockSize = this.#bytes[start + 1]!;
    if ((flags & FLAG.version) !== FLAG.version1 || (flags & (FLAG.reserved | FLAG.dictionary)) !== 0)
      return PackFault.corrupt;
    if ((blockSize & BLOCK_SIZE_RESERVED) !== 0 || blockSize < 0x40) return PackFault.corrupt;
    const hasSize = (flags & FLAG.contentSize) !== 0;
    const end = start + (hasSize ? 10 : 2);
    if (end >= this.#bytes.length) return PackFault.corrupt;
    if (!this.#isHeaderSum(start, end)) return PackFault.checksum;
    this.#at = end + 1;
    // As a number it may be rounded, far above any bound.
    const contentSize = hasSize ? Number(this.#view.getBigUint64(start + 2, true)) : undefined;
    if (contentSize !== undefined && contentSize > this.#left) return PackFault.tooLarge;
    return { flags, blockMaxBytes: 2 ** (8 + 2 * (blockSize >>> 4)), contentSize };
  }

  /** The second byte of the sum over the descriptor; by mistake once over the magic, too (KAFKA-3160). */
  #isHeaderSum(start: number, end: number): boolean {
    return [start, start - 4].some(
      (from) => ((this.#sink.xxh32(this.#bytes.subarray(from, end)) >>> 8) & 0xff) === this.#bytes[end],
    );
  }

  #block(announced: number, { flags, blockMaxBytes }: FrameHeader): number {
    const isStored = announced >= STORED_BLOCK;
    const size = isStored ? announced - STORED_BLOCK : announced;
    if (size > blockMaxBytes || size > this.#bytes.length - this.#at) return PackFault.corrupt;
    const block = this.#bytes.subarray(this.#at, this.#at + size);
    this.#at += size;
    if ((flags & FLAG.blockSum) !== 0) {
      const fault = this.#checkSum(() => this.#sink.xxh32(block));
      if (fault < 0) return fault;
    }
    if (isStored && size > this.#left) return PackFault.tooLarge;
    const length = isStored
      ? this.#sink.store(block)
      : this.#sink.unpack(block, Math.min(blockMaxBytes, this.#left), (flags & FLAG.independent) === 0);
    if (length === BlockFault.noRoom)
      return this.#left < blockMaxBytes ? PackFault.tooLarge : PackFault.corrupt;
    if (length > 0) this.#left -= length;
    return length;
  }

  #checkSum(sum: () => number): number {
    const expected = this.#uint32();
    if (expected < 0) return PackFault.corrupt;
    return sum() === expected ? NONE : PackFault.checksum;
  }

  /** -1 when it is not all there. */
  #uint32(): number {
    if (this.#bytes.length - this.#at < 4) return -1;
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }
}
