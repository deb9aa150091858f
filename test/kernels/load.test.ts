import { afterEach, describe, expect, test, vi } from 'vitest';
import { kernelSuite } from './suite.ts';

describe('in Node', () => {
  kernelSuite();
});

describe('an engine that cannot run the module gets the twin', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
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

  /** Stands in for an engine that cannot compile the module, or a host that cannot read it. */
  function compilingThrows(error: Error): void {
    const { CompileError } = WebAssembly;
    function Module(): never {
      throw error;
    }
    vi.stubGlobal('WebAssembly', { CompileError, Module });
  }

  test('without SIMD', async () => {
    compilingThrows(new WebAssembly.CompileError('invalid opcode 0xfd'));
    const { kernels, Twin } = await loadAfresh();
    expect(kernels).toBeInstanceOf(Twin);
  });

  test('but a module that is not there is an error', async () => {
    compilingThrows(new Error('ENOENT'));
    await expect(loadAfresh()).rejects.toThrow('ENOENT');
  });
});
