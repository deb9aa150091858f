/** Bundlers know this form, and put the file beside their scripts. */
const url = new URL('../../build/kernels.wasm', import.meta.url);

export function compileKernels(): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(fetch(url));
}
