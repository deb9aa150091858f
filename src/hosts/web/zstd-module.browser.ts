/** Bundlers know this form, and put the file beside their scripts. It is loaded when it is first needed. */
const url = new URL('../../../node_modules/@bokuweb/zstd-wasm/dist/web/zstd.wasm', import.meta.url);

export function compileZstd(): Promise<WebAssembly.Module> {
  return WebAssembly.compileStreaming(fetch(url));
}
