import { expect } from 'vitest';
import type { Reach } from './reach.ts';

/** Whose brokers. */
export type Maker = 'Milena' | 'Apache Kafka';

/** APIs that a maker's brokers do not serve. The suite asks for them all the same, and wants a clear refusal. */
const NOT_SERVED: Readonly<Record<Maker, readonly string[]>> = {
  Milena: ['DeleteRecords', 'IncrementalAlterConfigs', 'OffsetDelete'],
  'Apache Kafka': [],
};

/** What they answer differently to the same question. */
export const ANSWERS: Readonly<Record<Maker, Answers>> = {
  Milena: { retentionByDefault: { name: 'log.retention.hours', value: '168' }, setForAllBrokers: [] },
  // It knows retention in hours as the broker's setting alone. Formatting sets one for all brokers (KIP-966).
  'Apache Kafka': { retentionByDefault: undefined, setForAllBrokers: ['min.insync.replicas'] },
};

interface Answers {
  /** What a topic's `retention.ms` would be if nobody had set it. */
  retentionByDefault: { name: string; value: string } | undefined;
  /** Settings of all brokers, in a new cluster. */
  setForAllBrokers: readonly string[];
}

/** For the name of a test. */
export function unserved({ maker }: Reach, api: string): string {
  return NOT_SERVED[maker].includes(api) ? `: ${maker} does not serve ${api}, and the error says so` : '';
}

/** What needs an API. With brokers that do not serve it, it has to end with an error that says so. */
export async function whereServed({ maker }: Reach, api: string, work: () => Promise<void>): Promise<void> {
  if (!NOT_SERVED[maker].includes(api)) return work();
  await expect(work()).rejects.toMatchObject({
    code: 'UNSUPPORTED_VERSION',
    retriable: false,
    message: expect.stringContaining(`does not serve ${api}`) as string,
    hint: expect.stringContaining('Apache Kafka') as string,
  });
}

/** What needs transactions, as kafkajs asks for them; ours has none, and kafkajs says it in its own words. */
export async function whereTransactional({ maker }: Reach, work: () => Promise<void>): Promise<void> {
  if (maker !== 'Milena') return work();
  await expect(work()).rejects.toThrow('Failed to find group coordinator');
}
