import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, 'corpus');

/** Inputs that are kept: what once failed, and what is good to start from. */
export function corpusOf(target: string): Uint8Array[] {
  const folder = join(ROOT, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map((name) => new Uint8Array(Buffer.from(readFileSync(join(folder, name), 'latin1').trim(), 'hex')));
}

/** Keeps an input as a line of hex. @returns where. */
export function keep(target: string, input: Uint8Array): string {
  const folder = join(ROOT, target);
  mkdirSync(folder, { recursive: true });
  const hex = Buffer.from(input).toString('hex');
  const path = join(folder, `${createHash('sha256').update(hex).digest('hex').slice(0, 12)}.hex`);
  writeFileSync(path, `${hex}\n`);
  return path;
}
