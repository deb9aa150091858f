import { compileKernels } from '#kernels-module';
import type { Kernels } from './kernels.ts';
import { WasmKernels } from './wasm.ts';

let loaded: Kernels | undefined;

/**
 * The kernels, one instance a process (kernels are synchronous, so all may share it): WASM, or the TypeScript twin
 * where the engine has no WebAssembly, no SIMD, or forbids compiling it.
 * @throws when the module cannot be read: a build that is not there must not look like an engine that is slow.
 */
export async function loadKernels(): Promise<Kernels> {
  if (loaded) return loaded;
  const kernels = await load();
  return (loaded ??= kernels);
}

async function load(): Promise<Kernels> {
  if (typeof WebAssembly === 'undefined') return twin();
  try {
    return new WasmKernels(await compileKernels());
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return twin();
    throw error;
  }
}

/** Hardly any engine needs it. */
async function twin(): Promise<Kernels> {
  const { TwinKernels } = await import('./twin.ts');
  return new TwinKernels();
}
