import { lzOf } from '../../src/kernels/lz.ts';
import { twinLz } from '../../src/kernels/twin-lz.ts';
import { compileKernels } from '../../src/kernels/module.node.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { WasmKernels } from '../../src/kernels/wasm.ts';

export const module = await compileKernels();
export const wasm = new WasmKernels(module);
export const twin = new TwinKernels();
/** For tests that hold of every implementation. */
export const each = [
  { name: 'wasm', kernels: wasm },
  { name: 'twin', kernels: twin },
];

/** LZ4 and Snappy. */
export { twinLz };
export const wasmLz = lzOf(wasm);
export const eachLz = [
  { name: 'wasm', kernels: wasmLz },
  { name: 'twin', kernels: twinLz },
];
