import { readFileSync } from 'node:fs';

/** Resident memory of a process in bytes, as the kernel counts it (Linux). */
export function residentBytes(pid: number | undefined): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(line?.[1]) * 1024;
}
