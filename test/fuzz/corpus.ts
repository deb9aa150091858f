import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APIS } from '../../src/wire/registry.ts';
import { type GoldenFrame, parseGolden } from '../record/golden.ts';
import { asked } from './targets/messages.ts';

const ROOT = join(import.meta.dirname, 'corpus');
const GOLDEN = join(import.meta.dirname, '../wire/golden');

/** An input that is kept, and why, in words for people. */
export interface Kept {
  input: Uint8Array;
  why: string;
}

/** Inputs that are kept, a line each: what once failed, and the smallest found for each outcome. */
export function corpusOf(target: string): Kept[] {
  const path = pathOf(target);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const [hex = '', ...why] = line.split(' ');
    return { input: new Uint8Array(Buffer.from(hex, 'hex')), why: why.join(' ') };
  });
}

/** @returns where. */
export function keep(target: string, kept: Kept): string {
  writeCorpus(target, [...corpusOf(target), kept]);
  return pathOf(target);
}

export function writeCorpus(target: string, kept: readonly Kept[]): void {
  mkdirSync(ROOT, { recursive: true });
  const lines = kept.map(({ input, why }) => `${Buffer.from(input).toString('hex')} ${why}\n`);
  writeFileSync(pathOf(target), lines.join(''));
}

function pathOf(target: string): string {
  return join(ROOT, `${target}.txt`);
}

/** What real clients and the broker said, as inputs of a target: `npm run record` keeps it. */
export function recordedFor(target: string): Uint8Array[] {
  const asInput = RECORDED[target];
  return asInput === undefined ? [] : recordings().flatMap((frame) => asInput(frame) ?? []);
}

const RECORDED: Readonly<Record<string, (frame: GoldenFrame) => Uint8Array | undefined>> = {
  requests: ({ part, bytes }) => (part === 'request' ? new Uint8Array(bytes) : undefined),
  responses: ({ api: name, version, part, bytes }) => {
    const api = APIS.find((candidate) => candidate.name === name);
    return part === 'response' && api ? asked(api, version, bytes) : undefined;
  },
  streams: ({ part, bytes }) => (part === 'request' ? sized(bytes) : undefined),
};

let frames: readonly GoldenFrame[] | undefined;

function recordings(): readonly GoldenFrame[] {
  const read = (name: string) => parseGolden(readFileSync(join(GOLDEN, name), 'utf8'));
  return (frames ??= readdirSync(GOLDEN).flatMap(read));
}

function sized(bytes: Uint8Array): Uint8Array {
  const stream = Buffer.alloc(4 + bytes.length);
  stream.writeInt32BE(bytes.length);
  stream.set(bytes, 4);
  return new Uint8Array(stream);
}
