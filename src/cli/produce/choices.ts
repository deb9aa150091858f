import { oneOf } from '../options.ts';

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** @throws CliError */
export function acksOf(text: string | undefined): 'all' | 0 | 1 {
  return ({ all: 'all', 1: 1, 0: 0 } as const)[oneOf('--acks', text, ['all', '1', '0'])];
}
