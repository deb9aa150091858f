import { compileZstd } from '#zstd-module';
import { onDemand } from '../../client/on-demand.ts';
import { andThen, type Codec, type MaybePromise, tooLarge } from '../../records/codecs.ts';

/**
 * What @bokuweb/zstd-wasm 0.0.27 exports: zstd's own functions, under the names its build gave them. Its JavaScript is
 * not used, because it compiles bytes, which Workers forbid, and unpacks only where a frame says its size.
 */
interface Exports {
  /** Memory. */
  f: WebAssembly.Memory;
  /** Constructors, to be called once. */
  g(): void;
  /** ZSTD_compressBound(size) */
  i(size: number): number;
  /** ZSTD_compress(out, outSize, from, fromSize, level) */
  m(out: number, outSize: number, from: number, fromSize: number, level: number): number;
  /** ZSTD_decompress(out, outSize, from, fromSize), all frames and skippable ones. */
  r(out: number, outSize: number, from: number, fromSize: number): number;
  /** malloc(size), 0 when there is none; free(at). */
  s(size: number): number;
  t(at: number): void;
}

/** Kafka's default level, and zstd's own. */
const LEVEL = 3;
/** Results from here on, unsigned, are error codes: zstd has no more than 120 of them (zstd_errors.h). */
const ERROR_MIN = 2 ** 32 - 120;
const OUTPUT_TOO_SMALL = 2 ** 32 - 70;
/** A first guess at what bytes unpack to; each next is four times as much, up to the bound. */
const EXPANSION_GUESS = 8;
const OUTPUT_MIN_BYTES = 64 * 1024;
const PAGE_SIZE = 65_536;
/** No call's input and output may be larger together: a Worker has 128 MB for everything. */
const MEMORY_MAX_BYTES = 96 * 1024 * 1024;
/** A memory never shrinks, so an instance whose memory is larger is let go of. */
const KEPT_MAX_BYTES = 16 * 1024 * 1024;

/** Zstandard from WASM. The first call loads it, and answers later; the next ones answer at once. */
export function zstd(): Codec {
  const module = onDemand('zstd', compileZstd);
  let kept: Instance | undefined;
  /** One that has trapped, or has grown large, is used no more. */
  const withInstance = <T>(use: (instance: Instance) => T): MaybePromise<T> => {
    return andThen(module(), (compiled) => {
      const instance = kept ?? new Instance(compiled);
      kept = undefined;
      const result = use(instance);
      if (instance.sizeBytes <= KEPT_MAX_BYTES) kept = instance;
      return result;
    });
  };
  return {
    compress: (bytes) => withInstance((instance) => instance.compress(bytes)),
    decompress: (bytes, maxBytes) => withInstance((instance) => instance.decompress(bytes, maxBytes)),
  };
}

class Instance {
  readonly #wasm: Exports;

  constructor(module: WebAssembly.Module) {
    const exports = new WebAssembly.Instance(module, { a: imports(() => this.#wasm.f) }).exports;
    this.#wasm = exports as unknown as Exports;
    this.#wasm.g();
  }

  get sizeBytes(): number {
    return this.#wasm.f.buffer.byteLength;
  }

  compress(bytes: Uint8Array): Uint8Array {
    const outSize = this.#wasm.i(bytes.length) >>> 0;
    const packed = this.#call(bytes, outSize, (out, from) =>
      this.#wasm.m(out, outSize, from, bytes.length, LEVEL),
    );
    if (packed instanceof Uint8Array) return packed;
    throw new Error(`zstd cannot pack ${bytes.length} bytes`);
  }

  /** What one call has no room for is tried again with more, since not all frames say their size, nor all the truth. */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array {
    let outSize = Math.min(Math.max(EXPANSION_GUESS * bytes.length, OUTPUT_MIN_BYTES), maxBytes);
    for (;;) {
      const unpacked = this.#call(bytes, outSize, (out, from) =>
        this.#wasm.r(out, outSize, from, bytes.length),
      );
      if (unpacked instanceof Uint8Array) return unpacked;
      if (unpacked !== OUTPUT_TOO_SMALL) throw new Error('not a zstd frame');
      if (outSize === maxBytes) throw tooLarge(maxBytes);
      outSize = Math.min(4 * outSize, maxBytes);
    }
  }

  /** @returns what was written, or zstd's error. */
  #call(
    bytes: Uint8Array,
    outSize: number,
    call: (out: number, from: number) => number,
  ): Uint8Array | number {
    const from = this.#allocate(bytes.length);
    const out = this.#allocate(outSize);
    try {
      new Uint8Array(this.#wasm.f.buffer).set(bytes, from);
      const size = call(out, from) >>> 0;
      return size > ERROR_MIN ? size : new Uint8Array(this.#wasm.f.buffer).slice(out, out + size);
    } finally {
      this.#wasm.t(out);
      this.#wasm.t(from);
    }
  }

  #allocate(size: number): number {
    const at = this.#wasm.s(Math.max(size, 1)) >>> 0;
    if (at === 0) throw new Error(`zstd has no memory for ${size} bytes`);
    return at;
  }
}

/** What the module asks of a page: memory, and a word when it gives up. */
function imports(memory: () => WebAssembly.Memory): WebAssembly.ModuleImports {
  const giveUp = () => {
    throw new Error('zstd gave up');
  };
  return {
    a: giveUp, // proc_exit
    b: () => {}, // _emscripten_runtime_keepalive_clear
    c: giveUp, // _abort_js
    d: () => 0, // _setitimer_js
    e: (size: number) => grow(memory(), size >>> 0), // emscripten_resize_heap
  };
}

/** @returns 1, or 0 when there is no more memory. */
function grow(memory: WebAssembly.Memory, size: number): number {
  if (size > MEMORY_MAX_BYTES) return 0;
  try {
    memory.grow(Math.ceil((size - memory.buffer.byteLength) / PAGE_SIZE));
    return 1;
  } catch {
    return 0;
  }
}
