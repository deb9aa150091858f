import { concat } from '../model/bytes.ts';
import type { PackFault } from './kernels.ts';
import {
  BlockFault,
  EXPANSION_MAX,
  FRAME_BLOCK_MAX,
  FRAME_END_SIZE,
  FRAME_HEADER,
  type FrameSink,
  LZ4_HISTORY,
  readFrames,
} from './lz4-frame.ts';
import { LZ_BLOCK_MAX } from './twins/lz-match.ts';
import { SLACK, type WasmMemory } from './wasm-memory.ts';

/** What assembly/lz4.ts, snappy.ts and xxh32.ts export. */
export interface LzExports {
  packLz4Blocks(from: number, length: number, out: number): number;
  /** @returns where the output ends, 0 when the block is no LZ4, 1 when it does not fit. */
  unpackLz4Block(at: number, end: number, floor: number, out: number, outEnd: number): number;
  packSnappy(from: number, length: number, out: number): number;
  unpackSnappy(at: number, end: number, out: number, outEnd: number): number;
  xxh32(at: number, length: number): number;
  xxh32Begin(): void;
  xxh32Stripes(at: number, length: number): void;
  xxh32End(at: number, total: number): number;
}

/** What is packed in one call, and unpacked before it is copied out: kernels' memory stays small. */
const PIECE_SIZE = 1024 * 1024;
/** Beside the content: a size, a last token, and slack. */
const LZ4_BLOCK_OVERHEAD = 64;
const NO_ADDRESS = 2;
const NO_MEMORY = -100;

/** @returns undefined when there is no memory for it. */
export function packLz4(wasm: LzExports, memory: WasmMemory, bytes: Uint8Array): Uint8Array | undefined {
  const pieceSize = Math.min(bytes.length, PIECE_SIZE);
  const blocks = Math.ceil(pieceSize / LZ_BLOCK_MAX);
  const out = memory.base + pieceSize + SLACK;
  const outSize = pieceSize + Math.ceil(pieceSize / EXPANSION_MAX) + LZ4_BLOCK_OVERHEAD * blocks;
  if (!memory.reserve(out + FRAME_HEADER.length + outSize + FRAME_END_SIZE + SLACK - memory.base))
    return undefined;
  memory.bytes.set(FRAME_HEADER, out);
  let end = out + FRAME_HEADER.length;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += PIECE_SIZE) {
    const piece = bytes.subarray(at, at + PIECE_SIZE);
    if (at > 0) {
      parts.push(memory.copyOf(out, end));
      end = out;
    }
    memory.bytes.set(piece, memory.base);
    end = wasm.packLz4Blocks(memory.base, piece.length, end);
  }
  memory.bytes.fill(0, end, end + FRAME_END_SIZE);
  parts.push(memory.copyOf(out, end + FRAME_END_SIZE));
  return parts.length === 1 ? parts[0] : concat(parts);
}

/** @returns undefined when there is no memory for it. */
export function unpackLz4(
  wasm: LzExports,
  memory: WasmMemory,
  bytes: Uint8Array,
  maxBytes: number,
): Uint8Array | PackFault | undefined {
  const blockMaxBytes = Math.min(bytes.length, FRAME_BLOCK_MAX);
  if (!memory.reserve(blockMaxBytes + SLACK)) return undefined;
  const output = new Unpacked(wasm, memory, blockMaxBytes);
  const fault = readFrames(bytes, maxBytes, output);
  if (fault === NO_MEMORY) return undefined;
  return fault < 0 ? (fault as PackFault) : output.written();
}

/**
 * The output of frames, behind the area of the block that is being unpacked. Now and then what is there is copied out,
 * all but the last 64 KiB, which matches may still reach:
 *
 *   base             begin                   hashed      end
 *   ├─ block ─┬─ s ─┼─ copied out ─┬─ new ──┴───────────┼─ room for a block ─┬─ s ─┤
 */
class Unpacked implements FrameSink {
  readonly #wasm: LzExports;
  readonly #memory: WasmMemory;
  readonly #begin: number;
  readonly #parts: Uint8Array[] = [];
  #end: number;
  /** Up to here it is in `#parts`. */
  #copied: number;
  /** Where the frame's content starts, or `#begin` when that is further back than a match can reach. */
  #frame: number;
  #isSummed = false;
  #hashed: number;
  #frameLength = 0;

  constructor(wasm: LzExports, memory: WasmMemory, blockMaxBytes: number) {
    this.#wasm = wasm;
    this.#memory = memory;
    this.#begin = memory.base + blockMaxBytes + SLACK;
    this.#end = this.#copied = this.#frame = this.#hashed = this.#begin;
  }

  xxh32(bytes: Uint8Array): number {
    this.#memory.bytes.set(bytes, this.#memory.base);
    return this.#wasm.xxh32(this.#memory.base, bytes.length) >>> 0;
  }

  beginFrame(isSummed: boolean): void {
    this.#frame = this.#hashed = this.#end;
    this.#frameLength = 0;
    this.#isSummed = isSummed;
    if (isSummed) this.#wasm.xxh32Begin();
  }

  unpack(block: Uint8Array, maxBytes: number, isLinked: boolean): number {
    const room = Math.min(maxBytes, block.length * EXPANSION_MAX);
    if (!this.#makeRoom(room)) return NO_MEMORY;
    const { base, bytes } = this.#memory;
    bytes.set(block, base);
    const start = this.#end;
    const floor = isLinked ? this.#frame : start;
    const end = this.#wasm.unpackLz4Block(base, base + block.length, floor, start, start + room);
    if (end < NO_ADDRESS) return end === 1 ? BlockFault.noRoom : BlockFault.corrupt;
    return this.#grow(end - start);
  }

  store(block: Uint8Array): number {
    if (!this.#makeRoom(block.length)) return NO_MEMORY;
    this.#memory.bytes.set(block, this.#end);
    return this.#grow(block.length);
  }

  contentSum(): number {
    this.#hash();
    return this.#wasm.xxh32End(this.#hashed, this.#frameLength) >>> 0;
  }

  written(): Uint8Array {
    const last = this.#memory.copyOf(this.#copied, this.#end);
    return this.#parts.length === 0 ? last : concat([...this.#parts, last]);
  }

  #grow(length: number): number {
    this.#end += length;
    this.#frameLength += length;
    return length;
  }

  #makeRoom(size: number): boolean {
    if (this.#end - this.#begin > PIECE_SIZE) this.#copyOut();
    return this.#memory.reserve(this.#end + size + SLACK - this.#memory.base);
  }

  #copyOut(): void {
    if (this.#isSummed) this.#hash();
    const { bytes } = this.#memory;
    this.#parts.push(this.#memory.copyOf(this.#copied, this.#end));
    const by = Math.max(0, this.#end - this.#begin - LZ4_HISTORY);
    bytes.copyWithin(this.#begin, this.#begin + by, this.#end);
    this.#end -= by;
    this.#hashed -= by;
    this.#copied = this.#end;
    this.#frame = Math.max(this.#begin, this.#frame - by);
  }

  /** Sums whole stripes; what is left is less than one, and well within the history. */
  #hash(): void {
    const length = (this.#end - this.#hashed) & ~15;
    this.#wasm.xxh32Stripes(this.#hashed, length);
    this.#hashed += length;
  }
}

/** @returns undefined when there is no memory for it. */
export function packSnappy(
  wasm: LzExports,
  memory: WasmMemory,
  { bytes, out, at }: { bytes: Uint8Array; out: Uint8Array; at: number },
): number | undefined {
  const to = memory.base + bytes.length + SLACK;
  const size = bytes.length + Math.ceil(bytes.length / 6) + 64;
  if (!memory.reserve(to + size + SLACK - memory.base)) return undefined;
  memory.bytes.set(bytes, memory.base);
  const end = wasm.packSnappy(memory.base, bytes.length, to);
  out.set(memory.bytes.subarray(to, end), at);
  return at + end - to;
}

/** @returns undefined when there is no memory for it. */
export function unpackSnappy(
  wasm: LzExports,
  memory: WasmMemory,
  elements: Uint8Array,
  out: Uint8Array,
): boolean | undefined {
  const elementsEnd = memory.base + elements.length;
  const to = elementsEnd + SLACK;
  if (!memory.reserve(to + out.length + SLACK - memory.base)) return undefined;
  memory.bytes.set(elements, memory.base);
  if (wasm.unpackSnappy(memory.base, elementsEnd, to, to + out.length) === 0) return false;
  out.set(memory.bytes.subarray(to, to + out.length));
  return true;
}
