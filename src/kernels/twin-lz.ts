import type { LzKernels } from './kernels.ts';
import { packLz4, unpackLz4 } from './twins/lz4.ts';
import { packSnappy, unpackSnappy } from './twins/snappy.ts';

/** LZ4 and Snappy in TypeScript: the oracle of the WASM ones, and what engines without SIMD run. */
export const twinLz: LzKernels = { packLz4, unpackLz4, packSnappy, unpackSnappy };
