import { compileKernels } from '#kernels-module';
import type { EncodeRecord } from '../../../src/kernels/kernels.ts';
import { loadKernels } from '../../../src/kernels/load.ts';
import { layOut } from '../../../src/kernels/wasm-arena.ts';
import { SLACK, WasmMemory } from '../../../src/kernels/wasm-memory.ts';
import { type Exports, WasmKernels } from '../../../src/kernels/wasm.ts';
import { HEADER } from '../batch-header.ts';

const COUNT = 1000;
const TEXT_SIZE = 16_384;

/** A case that does nothing. */
export const NONE = 'none';

let cases: Promise<Record<string, () => unknown>> | undefined;

function allCases(): Promise<Record<string, () => unknown>> {
  return (cases ??= makeCases());
}

/** All that there are, but for `NONE`. */
export async function caseNames(): Promise<string[]> {
  return Object.keys(await allCases()).filter((name) => name !== NONE);
}

/** Calls a case so often: the same code in Node, in a page and in a Worker. */
export async function callCase(name: string, calls: number): Promise<void> {
  const call = (await allCases())[name];
  if (!call) throw new Error(`no case ${name}`);
  for (let left = calls; left > 0; left--) call();
}

/** The same, timed in the host. @returns seconds. */
export async function timeCase(name: string, calls: number): Promise<number> {
  await callCase(NONE, 1);
  const startedAtMs = performance.now();
  await callCase(name, calls);
  return (performance.now() - startedAtMs) / 1000;
}

/** What is in memory already, and for comparison two calls through the door, which copies and allocates. */
async function makeCases(): Promise<Record<string, () => unknown>> {
  const kernels = await loadKernels();
  if (!(kernels instanceof WasmKernels)) throw new Error('these are not the WASM kernels');
  const records = recordsOf(COUNT);
  const batch = kernels.encodeBatch(HEADER, records);
  const text = batch.subarray(0, TEXT_SIZE);
  return {
    [NONE]: () => undefined,
    ...batchCases(new InMemory(await compileKernels()), batch, records),
    ...codecCases(new InMemory(await compileKernels()), text),
    'crc32c 16 KB with copies': () => kernels.crc32c(text),
    'encode 1000 records of 100 B with copies': () => kernels.encodeBatch(HEADER, records),
  };
}

/** An instance whose memory holds what the kernels are called with. */
class InMemory {
  readonly raw: Exports;
  readonly memory: WasmMemory;

  constructor(module: WebAssembly.Module) {
    this.raw = new WebAssembly.Instance(module).exports as unknown as Exports;
    this.memory = new WasmMemory(this.raw.memory, this.raw.heapBase());
    this.memory.reserve(4 * 1024 * 1024);
  }
}

function batchCases({ raw, memory }: InMemory, batch: Uint8Array, records: readonly EncodeRecord[]) {
  const areas = layOut(memory, records);
  if (!areas) throw new Error('no memory');
  const { descriptors, descriptorsEnd, arena, arenaEnd, out, outEnd } = areas;
  const at = outEnd + SLACK;
  const rows = (at + batch.length + 3) & ~3;
  // A kernel that looks at a checksum spends the bytes.
  const put = () => memory.bytes.set(batch, at);
  put();
  return {
    'crc32c 1 KB': () => raw.crc32cSpent(0, at, 1024),
    'crc32c 16 KB': () => raw.crc32cSpent(0, at, TEXT_SIZE),
    'validate 1000 records of 100 B, with a copy in': () => {
      put();
      return raw.validateBatch(at, batch.length);
    },
    'index 1000 records of 100 B, with a copy in': () => {
      put();
      return raw.indexBatch(at, batch.length, rows);
    },
    'encode 1000 records of 100 B': () =>
      raw.encodeBatch(descriptors, descriptorsEnd, COUNT, arena, arenaEnd, out, outEnd),
  };
}

function codecCases({ raw, memory }: InMemory, text: Uint8Array) {
  const at = memory.base;
  const room = 2 * text.length;
  const [lz4, snappy, out] = [at + room, at + 2 * room, at + 3 * room];
  memory.bytes.set(text, at);
  const lz4End = raw.packLz4Blocks(at, text.length, lz4);
  const snappyEnd = raw.packSnappy(at, text.length, snappy);
  return {
    'lz4 pack 16 KB': () => raw.packLz4Blocks(at, text.length, lz4),
    'lz4 unpack 16 KB': () => raw.unpackLz4Block(lz4 + 4, lz4End, out, out, out + text.length),
    'snappy pack 16 KB': () => raw.packSnappy(at, text.length, snappy),
    'snappy unpack 16 KB': () => raw.unpackSnappy(snappy, snappyEnd, out, out + text.length),
  };
}

function recordsOf(count: number): EncodeRecord[] {
  const utf8 = new TextEncoder();
  const headers = [{ key: utf8.encode('trace-id'), value: utf8.encode('0123456789abcdef') }];
  return Array.from({ length: count }, (_, offsetDelta) => ({
    timestampDelta: offsetDelta,
    offsetDelta,
    key: utf8.encode(`key-${offsetDelta}`.padEnd(16, '.')),
    value: utf8.encode(JSON.stringify({ id: offsetDelta * 7919, user: offsetDelta % 37 }).padEnd(100, 'x')),
    headers,
  }));
}
