import type { ArgsDef } from 'citty';
import type { ProducerOptions } from '../../client/producer/producer.ts';
import { integerIn, oneOf } from '../options.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const ACKS = ['all', '1', '0'] as const;
const LINGER_MAX_MS = 60_000;

/** How records are written. */
export function writingArgs(lingerMs: string) {
  return {
    acks: {
      type: 'enum',
      options: [...ACKS],
      default: 'all',
      description: 'Who acknowledges a record',
    },
    compression: { type: 'enum', options: [...CODECS], default: 'none', description: 'Of batches' },
    'linger-ms': {
      type: 'string',
      default: lingerMs,
      valueHint: 'MS',
      description: 'How long a batch waits to be full',
    },
  } satisfies ArgsDef;
}

/** What {@link writingArgs} were given. @throws CliError */
export function writingOptions(given: {
  readonly acks?: string | undefined;
  readonly compression?: string | undefined;
  readonly 'linger-ms': string;
}): ProducerOptions {
  const acks = oneOf('--acks', given.acks, ACKS);
  return {
    acks: ({ all: 'all', 1: 1, 0: 0 } as const)[acks],
    compression: oneOf('--compression', given.compression, CODECS),
    lingerMs: integerIn('--linger-ms', given['linger-ms'], 0, LINGER_MAX_MS),
  };
}
