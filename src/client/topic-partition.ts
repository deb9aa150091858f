export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** For people, and as a key: what follows the last dash is the partition. */
export function titleOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

/** As requests name them. */
export function byTopic<P extends TopicPartition>(all: Iterable<P>): [topic: string, partitions: P[]][] {
  return [...Map.groupBy(all, ({ topic }) => topic)];
}

/** Those of `all` that are not among `others`. */
export function without<P extends TopicPartition>(all: Iterable<P>, others: Iterable<TopicPartition>): P[] {
  const known = new Set(Array.from(others, titleOf));
  return [...all].filter((one) => !known.has(titleOf(one)));
}
