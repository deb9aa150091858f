/**
 * Kernels' linear memory never grows beyond this (`maximumMemory` in assembly/asconfig.json): idle RSS stays low. An
 * LZ4 block can be 4 MiB, and so can what it unpacks to.
 */
const MEMORY_MAX = 9 * 1024 * 1024;
const PAGE_SIZE = 65_536;
/**
 * An allocator keeps 16 bytes for itself before what is large, and a C library copies quicker between places that are
 * alike modulo 32: 16 KB in 200 ns and not in 270.
 */
const ALLOCATED_AT = 16;
/** Kernels copy 16 bytes at a time, and read a little beyond a damaged record: what they use has this much after it. */
export const SLACK = 16;

/**
 * TypeScript's part of the kernels' memory, from `base` on: the map is drawn in assembly/layout.ts. Growing detaches
 * every view, so take `bytes`, `ints` and `view` after `reserve`, and keep none of them.
 */
export class WasmMemory {
  readonly base: number;
  readonly #memory: WebAssembly.Memory;
  bytes: Uint8Array;
  ints: Int32Array;
  view: DataView;

  /** @param heapBase a multiple of 32, behind what the kernels keep. */
  constructor(memory: WebAssembly.Memory, heapBase: number) {
    this.#memory = memory;
    this.base = heapBase + ALLOCATED_AT;
    this.bytes = new Uint8Array(memory.buffer);
    this.ints = new Int32Array(memory.buffer);
    this.view = new DataView(memory.buffer);
  }

  /** Makes room for `size` bytes from `base` on. @returns false when that is more than kernels may have. */
  reserve(size: number): boolean {
    const end = this.base + size;
    return end <= this.bytes.length || (end <= MEMORY_MAX && this.#grow(end));
  }

  /** Bytes taken out of it. An array made of another is not filled with zeros first, as one made by `slice` is. */
  copyOf(from: number, end: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.subarray(from, end));
  }

  /** Doubles at least: each growth costs all the views. */
  #grow(end: number): boolean {
    const size = Math.min(Math.max(end, 2 * this.bytes.length), MEMORY_MAX);
    try {
      this.#memory.grow(Math.ceil((size - this.bytes.length) / PAGE_SIZE));
    } catch {
      return false; // The engine has no more memory to give: the caller goes on without.
    }
    this.bytes = new Uint8Array(this.#memory.buffer);
    this.ints = new Int32Array(this.#memory.buffer);
    this.view = new DataView(this.#memory.buffer);
    return true;
  }
}
