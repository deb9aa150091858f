import type { Millis, Offset } from '../../model/ids.ts';
import { writeTxnMarkersApi } from '../../wire/apis/27-write-txn-markers.ts';
import { describeProducersApi } from '../../wire/apis/61-describe-producers.ts';
import type { Exchange } from '../exchange.ts';
import { titleOf, type TopicPartition } from '../topic-partition.ts';
import { listsOf } from '../group/consumer-protocol.ts';
import { type AdminOptions, type Asking, type Outcome, outcomeOf } from './asking.ts';
import { ofLeaders } from './leaders.ts';

const DESCRIBE_VERSIONS = { min: 0, max: 0 };
const MARKERS_VERSIONS = { min: 1, max: 2 };

/** What a partition knows of a producer. */
export interface ActiveProducer extends TopicPartition {
  producerId: number;
  producerEpoch: number;
  /** Null where it has written markers alone. */
  lastSequence: number | null;
  lastTimestamp: Millis | null;
  /** Of the last marker; -1 before the first. */
  coordinatorEpoch: number;
  /** Where its open transaction begins; null without one. */
  transactionStartOffset: Offset | null;
}

/** Of each partition, by producer id. @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION */
export async function producersOf(
  asking: Asking,
  partitions: readonly TopicPartition[],
  { signal }: AdminOptions,
): Promise<ActiveProducer[]> {
  const ask = (broker: Exchange, mine: readonly TopicPartition[]) => describeAt(broker, mine, { signal });
  return (await ofLeaders(asking, partitions, { ask, signal })).flat();
}

async function describeAt(
  broker: Exchange,
  partitions: readonly TopicPartition[],
  { signal }: AdminOptions,
): Promise<Map<string, Outcome<ActiveProducer[]>>> {
  const topics = listsOf(partitions).map(({ topic: name, partitions: partitionIndexes }) => ({
    name,
    partitionIndexes,
  }));
  const answer = await broker.request(describeProducersApi, DESCRIBE_VERSIONS, { topics }, { signal });
  return new Map(
    answer.topics.flatMap(({ name: topic, partitions: some }) =>
      some.map((found) => {
        const at = { topic, partition: found.partitionIndex };
        const value = found.activeProducers
          .map((producer) => ({
            ...at,
            producerId: producer.producerId,
            producerEpoch: producer.producerEpoch,
            lastSequence: unlessNone(producer.lastSequence),
            lastTimestamp: unlessNone(producer.lastTimestamp),
            coordinatorEpoch: producer.coordinatorEpoch,
            transactionStartOffset: unlessNone(producer.currentTxnStartOffset),
          }))
          .sort((a, b) => a.producerId - b.producerId);
        return [titleOf(at), outcomeOf(found, { where: titleOf(at), value })] as const;
      }),
    ),
  );
}

const unlessNone = (value: number) => (value < 0 ? null : value);

/** Writes the marker of an abort that no coordinator writes, into one partition. */
export async function abortAt(
  asking: Asking,
  { topic, partition, producerId, producerEpoch, coordinatorEpoch }: ActiveProducer,
  { signal }: AdminOptions,
): Promise<void> {
  const at = { topic, partition };
  const marker = {
    producerId,
    producerEpoch,
    // A coordinator that has written none yet begins with 0, as Kafka's own tool does.
    coordinatorEpoch: Math.max(coordinatorEpoch, 0),
    transactionResult: false,
    topics: [{ name: topic, partitionIndexes: [partition] }],
  };
  const ask = async (broker: Exchange): Promise<Map<string, Outcome<true>>> => {
    const request = { markers: [marker] };
    const { markers } = await broker.request(writeTxnMarkersApi, MARKERS_VERSIONS, request, { signal });
    const [written] = markers.flatMap(({ topics }) => topics.flatMap(({ partitions }) => partitions));
    if (written === undefined) return new Map();
    const where = `${titleOf(at)}, producer ${producerId}`;
    return new Map([[titleOf(at), outcomeOf(written, { where, value: true })]]);
  };
  await ofLeaders(asking, [at], { ask, signal });
}
