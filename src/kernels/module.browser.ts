import url from '../../build/kernels.wasm?url';

export function compileKernels(): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(fetch(url));
}
