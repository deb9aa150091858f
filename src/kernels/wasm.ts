import { invariant } from '../model/assert.ts';
import { countsOf, HEADER_SIZE, isPossibleCount, writeHeader } from './batch-layout.ts';
import { BatchFault, ROW } from './kernels.ts';
import type { BatchHeaderFields, EncodeRecord, Kernels, ValidBatches } from './kernels.ts';
import * as twinBatch from './twins/batch.ts';
import * as twinEncode from './twins/encode.ts';
import { type EncodeAreas, layOut } from './wasm-arena.ts';
import type { LzExports } from './wasm-lz.ts';
import { SLACK, WasmMemory } from './wasm-memory.ts';

/** What assembly/index.ts exports: positions and lengths in linear memory, faults as in `BatchFault`. */
export interface Exports extends LzExports {
  memory: WebAssembly.Memory;
  heapBase(): number;
  /** It, and whatever else looks at a checksum, spends the bytes. */
  crc32cSpent(crc: number, at: number, length: number): number;
  crc32cBegin(crc: number, at: number, length: number): number;
  crc32cMore(at: number, end: number): void;
  crc32cEnd(at: number): number;
  validateBatch(batch: number, length: number): BatchFault;
  /** @returns how many bytes are good batches, times 8; plus the fault of the next one, sign turned. */
  validateBatches(batches: number, length: number): number;
  indexBatch(batch: number, length: number, rows: number): BatchFault;
  indexRecords(records: number, length: number, count: number, rows: number): BatchFault;
  encodeRecords: Encode;
  encodeBatch: Encode;
}

/** @returns where the bytes written at `out` end, 0 when the areas do not hold what the descriptors say. */
type Encode = (
  descriptors: number,
  descriptorsEnd: number,
  count: number,
  arena: number,
  arenaEnd: number,
  out: number,
  outEnd: number,
) => number;

/** Of a long message so much at a time, always in the same place: a CPU's first cache holds it twice. */
const CRC_STEP_SIZE = 16_384;
/** `SHORT_SIZE` of assembly/crc-shorten.ts. */
const SHORT_SIZE = 2240;

/** Many batches are validated in pieces of this: kernels' memory stays small. */
const VALIDATE_PIECE_SIZE = 1024 * 1024;

/** Bytes a record, on average: copying more than this in costs more than indexing it here saves. */
const INDEX_COPY_MAX = 1024;

/**
 * The kernels in WebAssembly. Inputs are copied in, results copied out; nothing stays between calls. What does not fit
 * the few MiB of memory they may have (a batch of 100 MB is legal) runs on the twin, with the checksum still from WASM.
 */
export class WasmKernels implements Kernels {
  /** For the kernels beside these (`lzOf`); all are synchronous, so they share the memory. */
  readonly wasm: Exports;
  readonly memory: WasmMemory;

  /** @param module compiled by the host: Workers import it, Node and browsers compile its bytes. */
  constructor(module: WebAssembly.Module) {
    this.wasm = new WebAssembly.Instance(module).exports as unknown as Exports;
    this.memory = new WasmMemory(this.wasm.memory, this.wasm.heapBase());
  }

  crc32c(bytes: Uint8Array): number {
    const { memory, wasm } = this;
    if (bytes.length >= 2 * CRC_STEP_SIZE) return this.#crcOfLong(bytes);
    memory.bytes.set(bytes, memory.base);
    return wasm.crc32cSpent(0, memory.base, bytes.length) >>> 0;
  }

  #crcOfLong(bytes: Uint8Array): number {
    const { memory, wasm } = this;
    const { length } = bytes;
    let copied = CRC_STEP_SIZE + (length & 15);
    memory.bytes.set(bytes.subarray(0, copied), memory.base);
    let end = memory.base + copied;
    for (let at = wasm.crc32cBegin(0, memory.base, length); ;) {
      const takenEnd = end - Math.max(0, copied - (length - SHORT_SIZE));
      wasm.crc32cMore(at, takenEnd);
      if (copied === length) return wasm.crc32cEnd(takenEnd) >>> 0;
      // What comes next goes behind as many bytes as it needs of those before.
      memory.bytes.copyWithin(memory.base, takenEnd - SHORT_SIZE, end);
      at = memory.base + SHORT_SIZE;
      end -= takenEnd - at;
      const next = bytes.subarray(copied, copied + CRC_STEP_SIZE);
      memory.bytes.set(next, end);
      end += next.length;
      copied += next.length;
    }
  }

  validateBatch(bytes: Uint8Array): BatchFault {
    if (!this.#copyIn(bytes)) return twinBatch.validateBatch(bytes, (covered) => this.crc32c(covered));
    return this.wasm.validateBatch(this.memory.base, bytes.length);
  }

  validateBatches(bytes: Uint8Array): ValidBatches {
    for (let end = 0; ;) {
      const piece = bytes.subarray(end, end + VALIDATE_PIECE_SIZE);
      const isLast = end + piece.length === bytes.length;
      const { end: good, fault: found } = this.#validatePiece(piece);
      end += good;
      if (isLast || (found !== BatchFault.none && found !== BatchFault.truncated))
        return { end, fault: found };
      if (good > 0) continue;
      // One that is larger than a piece, if it is one.
      const size = twinBatch.sizeOfBatch(bytes.subarray(end));
      const fault = size < 0 ? BatchFault.truncated : this.validateBatch(bytes.subarray(end, end + size));
      if (fault !== BatchFault.none) return { end, fault };
      end += size;
    }
  }

  #validatePiece(piece: Uint8Array): ValidBatches {
    if (!this.#copyIn(piece)) return twinBatch.validateBatches(piece, (covered) => this.crc32c(covered));
    const result = this.wasm.validateBatches(this.memory.base, piece.length);
    return { end: result >>> 3, fault: (0 - (result & 7)) as BatchFault };
  }

  indexBatch(bytes: Uint8Array): Int32Array | BatchFault {
    const count = bytes.length < HEADER_SIZE ? -1 : twinBatch.plainCount(bytes);
    if (!isPossibleCount(count, bytes.length)) return this.validateBatch(bytes);
    const rows = this.#copyInWithRows(bytes, count);
    if (rows === undefined) return twinBatch.indexBatch(bytes, (covered) => this.crc32c(covered));
    return this.#rowsOr(this.wasm.indexBatch(this.memory.base, bytes.length, rows), rows, count);
  }

  indexRecords(records: Uint8Array, count: number): Int32Array | BatchFault {
    if (!isPossibleCount(count, records.length)) return BatchFault.count;
    const isWorthIt = records.length <= count * INDEX_COPY_MAX;
    const rows = isWorthIt ? this.#copyInWithRows(records, count) : undefined;
    if (rows === undefined) return twinBatch.indexRecords(records, count);
    const { base } = this.memory;
    return this.#rowsOr(this.wasm.indexRecords(base, records.length, count, rows), rows, count);
  }

  /** @returns where the rows of `count` records go; undefined when there is no memory for it all. */
  #copyInWithRows(bytes: Uint8Array, count: number): number | undefined {
    const memory = this.memory;
    const rows = (memory.base + bytes.length + 3) & ~3;
    if (!memory.reserve(rows + 4 * count * ROW.size + SLACK - memory.base)) return undefined;
    memory.bytes.set(bytes, memory.base);
    return rows;
  }

  #rowsOr(fault: BatchFault, rows: number, count: number): Int32Array | BatchFault {
    return fault === BatchFault.none
      ? new Int32Array(this.memory.ints.subarray(rows / 4, rows / 4 + count * ROW.size))
      : fault;
  }

  encodeRecords(records: readonly EncodeRecord[]): Uint8Array {
    const areas = layOut(this.memory, records);
    if (!areas) return twinEncode.encodeRecords(records);
    return this.#encode(this.wasm.encodeRecords, areas, records.length);
  }

  encodeBatch(header: BatchHeaderFields, records: readonly EncodeRecord[]): Uint8Array {
    const areas = layOut(this.memory, records);
    if (!areas) return twinEncode.encodeBatch(header, records, (covered) => this.crc32c(covered));
    writeHeader(this.memory.view, areas.out, header, countsOf(records));
    return this.#encode(this.wasm.encodeBatch, areas, records.length);
  }

  #copyIn(bytes: Uint8Array): boolean {
    if (!this.memory.reserve(bytes.length + SLACK)) return false;
    this.memory.bytes.set(bytes, this.memory.base);
    return true;
  }

  #encode(encode: Encode, areas: EncodeAreas, count: number): Uint8Array {
    const { descriptors, descriptorsEnd, arena, arenaEnd, out, outEnd } = areas;
    const end = encode(descriptors, descriptorsEnd, count, arena, arenaEnd, out, outEnd);
    invariant(end >= out && end <= outEnd, 'an encode call has the areas it needs');
    return this.memory.copyOf(out, end);
  }
}
