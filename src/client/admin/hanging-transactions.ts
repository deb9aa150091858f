import type { Millis } from '../../model/ids.ts';
import type { AnyTopic } from '../topics/topic.ts';
import type { TopicPartition } from '../topic-partition.ts';
import type { ActiveProducer } from './active-producers.ts';
import type { AdminOptions, Asking } from './asking.ts';
import type { OffsetFinder } from './offset-finder.ts';
import { spanMs } from './span.ts';
import type { TopicsAdmin } from './topics.ts';
import type { TransactionDescription, TransactionListing } from './transactions.ts';

/** Longer than Kafka's `transaction.max.timeout.ms`, so that a coordinator would have ended it. */
const OLDER_THAN = '15m';

export interface HangingOptions extends AdminOptions {
  /** Of these topics; of all unless given. */
  topics?: readonly AnyTopic[];
  /** Milliseconds, or a span such as `15m`, which it is unless given. */
  olderThan?: Millis | string;
}

export interface HangingParts {
  asking: Asking;
  topics: TopicsAdmin;
  finder: OffsetFinder;
  transactions: {
    list(filter: { producerIds: readonly number[] } & AdminOptions): Promise<TransactionListing[]>;
    describe(ids: readonly string[], options: AdminOptions): Promise<TransactionDescription[]>;
    producers(partitions: readonly TopicPartition[], options: AdminOptions): Promise<ActiveProducer[]>;
  };
}

/** As Kafka's `find-hanging`: open in a partition, and in no transaction that its producer's coordinator knows of. */
export async function hangingOf(
  { asking, topics: all, finder, transactions }: HangingParts,
  { topics, olderThan = OLDER_THAN, signal }: HangingOptions,
): Promise<ActiveProducer[]> {
  const before = asking.nowMs() - spanMs('olderThan', olderThan);
  const names = topics ?? (await all.list({ internal: true, signal })).map(({ name }) => name);
  const partitions = await finder.partitionsOf(names, { signal });
  const open = (await transactions.producers(partitions, { signal })).filter(
    ({ transactionStartOffset, lastTimestamp }) =>
      transactionStartOffset !== null && (lastTimestamp ?? 0) < before,
  );
  if (open.length === 0) return [];
  const producerIds = [...new Set(open.map(({ producerId }) => producerId))];
  const listed = await transactions.list({ producerIds, signal });
  const known = await transactions.describe(
    listed.map(({ transactionalId }) => transactionalId),
    { signal },
  );
  const isCoordinated = ({ topic, partition, producerId }: ActiveProducer) =>
    known.some(
      (transaction) =>
        transaction.producerId === producerId &&
        transaction.partitions.some((at) => at.topic === topic && at.partition === partition),
    );
  return open.filter((producer) => !isCoordinated(producer));
}
