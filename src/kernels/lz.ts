import type { Kernels, LzKernels, PackFault } from './kernels.ts';
import { twinLz } from './twin-lz.ts';
import * as lz from './wasm-lz.ts';
import type { WasmMemory } from './wasm-memory.ts';
import { WasmKernels } from './wasm.ts';

/** Those beside `kernels`: a module of their own, since whoever packs nothing need not load them. */
export function lzOf(kernels: Kernels): LzKernels {
  return kernels instanceof WasmKernels ? new WasmLz(kernels) : twinLz;
}

/** What does not fit the memory of the kernels runs on the twin. */
class WasmLz implements LzKernels {
  readonly #wasm: lz.LzExports;
  readonly #memory: WasmMemory;

  constructor({ wasm, memory }: WasmKernels) {
    this.#wasm = wasm;
    this.#memory = memory;
  }

  packLz4(bytes: Uint8Array): Uint8Array {
    return lz.packLz4(this.#wasm, this.#memory, bytes) ?? twinLz.packLz4(bytes);
  }

  unpackLz4(bytes: Uint8Array, maxBytes: number): Uint8Array | PackFault {
    return lz.unpackLz4(this.#wasm, this.#memory, bytes, maxBytes) ?? twinLz.unpackLz4(bytes, maxBytes);
  }

  packSnappy(bytes: Uint8Array, out: Uint8Array, at: number): number {
    return lz.packSnappy(this.#wasm, this.#memory, { bytes, out, at }) ?? twinLz.packSnappy(bytes, out, at);
  }

  unpackSnappy(elements: Uint8Array, out: Uint8Array): boolean {
    return lz.unpackSnappy(this.#wasm, this.#memory, elements, out) ?? twinLz.unpackSnappy(elements, out);
  }
}
