import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import * as zlib from 'node:zlib';
import { loadKernels } from '../../kernels/load.ts';
import { formatBytes } from '../terminal/bytes.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const NODE_MIN = [22, 15] as const;
const FILES_MIN = 1_024;
const FILES_ADVISED = 8_192;
const MEGABYTE = 1_000_000;
const MEMORY_MIN = 256 * MEGABYTE;
const MEMORY_ADVISED = 512 * MEGABYTE;
/** No clock that is right shows less: this was written later. */
const EARLIEST = Date.parse('2026-11-01T00:00:00Z');
const LATEST = Date.parse('2100-01-01T00:00:00Z');

/** This process and the machine it runs on. */
export async function checkMachine(): Promise<Finding[]> {
  return [checkNode(), await checkKernels(), checkFiles(), ...checkMemory(), checkClock(Date.now())];
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const said = `${process.version} on ${process.platform} ${process.arch}`;
  const isOld = major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]);
  if (isOld) return fail('node', said, `install Node ${NODE_MIN.join('.')} or newer`);
  if (!('zstdCompressSync' in zlib))
    return fail('node', `${said} without zstd`, 'install an official build of Node');
  return ok('node', said);
}

async function checkKernels(): Promise<Finding> {
  try {
    await loadKernels();
    return ok('kernels', 'WebAssembly runs');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail(
      'kernels',
      `WebAssembly does not run: ${why}`,
      'start Node without flags that forbid it (--jitless)',
    );
  }
}

/** The system's own file, where it has one. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function checkFiles(): Finding {
  const limits = contentOf('/proc/self/limits');
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? '')?.[1];
  if (soft === undefined) return ok('files', 'how many may be open is not told on this system');
  const files = soft === 'unlimited' ? Infinity : Number(soft);
  const said = `${soft} may be open at once: 512 for logs, one a connection`;
  const fix = `raise it: ulimit -n ${FILES_ADVISED}, or LimitNOFILE= of a systemd unit`;
  if (files < FILES_MIN) return fail('files', said, fix);
  return files < FILES_ADVISED ? warn('files', said, fix) : ok('files', said);
}

function checkMemory(): Finding[] {
  const constrained = process.constrainedMemory();
  const limit = constrained > 0 && constrained < totalmem() ? constrained : totalmem();
  const said = `${formatBytes(process.availableMemory())} of ${formatBytes(limit)} are free`;
  const fix = `give it ${formatBytes(MEMORY_ADVISED)} or more`;
  const free = process.availableMemory();
  const memory =
    free < MEMORY_MIN
      ? fail('memory', said, fix)
      : free < MEMORY_ADVISED
        ? warn('memory', said, fix)
        : ok('memory', said);
  const heap = getHeapStatistics().heap_size_limit;
  if (heap > MEMORY_MIN / 2) return [memory];
  const found = `V8 may use ${formatBytes(heap)}`;
  return [memory, warn('heap', found, 'leave --max-old-space-size out of NODE_OPTIONS, or raise it')];
}

/** @param nowMs wall clock. */
function checkClock(nowMs: number): Finding {
  const said = new Date(nowMs).toISOString();
  if (nowMs < EARLIEST || nowMs > LATEST)
    return fail(
      'clock',
      `${said} cannot be right`,
      'set it, and keep it right with NTP: retention goes by it',
    );
  return ok('clock', said);
}
