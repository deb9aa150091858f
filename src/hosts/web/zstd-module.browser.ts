import url from '../../../node_modules/@bokuweb/zstd-wasm/dist/web/zstd.wasm?url';

export function compileZstd(): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(fetch(url));
}
