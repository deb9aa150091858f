/** Whose brokers. */
export type Maker = 'Milena' | 'Apache Kafka';

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
