import { readFileSync } from 'node:fs';

/** The build puts its own place here: in the package the kernels lie beside the folders of its scripts. */
const WASM_FILE = new URL('../../build/kernels.wasm', import.meta.url);

/** Compiles in place: for 12 KB that takes half a millisecond, and a few when it has to wait for another thread. */
export async function compileKernels(): Promise<WebAssembly.Module> {
  return new WebAssembly.Module(readFileSync(WASM_FILE));
}
