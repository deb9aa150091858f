import { module } from '../kernels/instances.ts';
import type { Raw } from '../kernels/guards.ts';
import { mustHold, sameBytes } from './target.ts';

/** The raw module: called without the care that `WasmKernels` takes. */
export const raw = new WebAssembly.Instance(module).exports as unknown as Raw;
/** Room for the longest input, and for a row for each 7 of its bytes. */
raw.memory.grow(16);
const memory = new Uint8Array(raw.memory.buffer);
const base = raw.heapBase();
const GUARD_SIZE = 64;
/** What an area has after its end, for moves of 16 bytes. */
const SLACK = 16;
/** Each value lies around the areas once: a result that depends on it was read where nothing may be. */
const GUARDS = [0x00, 0xff];

interface Areas {
  input: Uint8Array;
  /** Where the input begins, beyond a multiple of 16. */
  offset?: number;
  /** Whether the kernel may work in them. */
  isSpent?: boolean;
  /** Bytes that may be written, 4-aligned. */
  outSize?: number;
}

/** Calls a kernel between guards. @returns what it returned, and what it wrote; addresses count from its output. */
export function guarded(
  { input, offset = 0, isSpent = false, outSize = 0 }: Areas,
  call: (at: number, out: number) => number,
): { result: number; written: Uint8Array } {
  const at = base + GUARD_SIZE + offset;
  const end = at + input.length;
  const out = (end + SLACK + GUARD_SIZE + 3) & ~3;
  const outEnd = out + outSize + SLACK;
  const [first, second] = GUARDS.map((guard) => {
    memory.fill(guard, base, outEnd + GUARD_SIZE);
    memory.set(input, at);
    const result = call(at, out);
    const isWhole = (from: number, to: number) => memory.subarray(from, to).every((byte) => byte === guard);
    mustHold(
      isWhole(base, at) && isWhole(end, out) && isWhole(outEnd, outEnd + GUARD_SIZE),
      () => 'a kernel wrote outside its areas',
    );
    mustHold(isSpent || sameBytes(memory.subarray(at, end), input), () => 'a kernel changed its input');
    return { result, written: memory.slice(out, out + outSize) };
  });
  mustHold(first!.result === second!.result, () => 'a kernel read outside its areas');
  return { result: first!.result - out, written: first!.written };
}
