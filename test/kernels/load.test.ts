import { afterEach, describe, expect, test, vi } from 'vitest';
import { kernelSuite } from './suite.ts';

describe('in Node', () => {
  kernelSuite();
});

describe('an engine that cannot run the module gets the twin', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    vi.resetModules();
  });

  async function loadAfresh() {
    vi.resetModules();
    const { loadKernels } = await import('../../src/kernels/load.ts');
    const twin = await import('../../src/kernels/twin.ts');
    return { kernels: await loadKernels(), Twin: twin.TwinKernels };
  }

  test('without WebAssembly', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    const { kernels, Twin } = await loadAfresh();
    expect(kernels).toBeInstanceOf(Twin);
  });

  test('without SIMD', async () => {
    vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new WebAssembly.CompileError('invalid opcode 0xfd'));
    const { kernels, Twin } = await loadAfresh();
    expect(kernels).toBeInstanceOf(Twin);
  });

  test('but a module that is not there is an error', async () => {
    vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new Error('ENOENT'));
    await expect(loadAfresh()).rejects.toThrow('ENOENT');
  });
});
