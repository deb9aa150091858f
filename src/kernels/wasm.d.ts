/** Workers import a compiled module: they refuse to compile bytes. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
