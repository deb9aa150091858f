import { readFile } from 'node:fs/promises';

/** `build/` lies two folders above this file, and above each file of the built package: `dist/bin`, `dist/chunks`. */
const WASM_FILE = new URL('../../build/kernels.wasm', import.meta.url);

export async function compileKernels(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(WASM_FILE));
}
