import type { MaybePromise } from '../../records/codecs.ts';
import type { ProduceResponse } from '../../wire/apis/00-produce.ts';
import { RefusedError } from '../errors.ts';
import type { Batch } from './batch.ts';
import type { PartitionQueue } from './partition-queue.ts';

/** A batch of a queue, chosen for a request. */
export interface Chosen {
  queue: PartitionQueue;
  batch: Batch;
}

type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number];

/** Of a batch of which no broker says anything. */
export const NOT_SAID = { stored: { baseOffset: -1, logAppendTimeMs: -1 }, error: new Error('no answer') };

/** Seals what is sealed not yet. What cannot be is refused, and left out. */
export function pack(chosen: readonly Chosen[]): MaybePromise<Chosen[]> {
  const ready: MaybePromise<Chosen | undefined>[] = chosen.map((one) => {
    const { queue, batch } = one;
    const keep = (bytes: Uint8Array) => {
      batch.bytes = bytes;
      return one;
    };
    const refuse = (error: unknown) => {
      queue.answered(batch, 'refused', { ...NOT_SAID, error: error as Error });
      return undefined;
    };
    if (batch.bytes !== undefined) return one;
    try {
      const sealed = batch.content.seal(batch.stamp);
      return sealed instanceof Promise ? sealed.then(keep, refuse) : keep(sealed);
    } catch (error) {
      return refuse(error);
    }
  });
  const isThere = (one: Chosen | undefined) => one !== undefined;
  if (ready.some((one) => one instanceof Promise))
    return Promise.all(ready).then((all) => all.filter(isThere));
  return (ready as (Chosen | undefined)[]).filter(isThere);
}

/** As a request names them. */
export function topicDataOf(chosen: readonly Chosen[]) {
  const byTopic = Map.groupBy(chosen, ({ queue }) => queue.topic);
  return Array.from(byTopic, ([name, some]) => ({
    name,
    partitionData: some.map(({ queue, batch }) => ({ index: queue.partition, records: batch.bytes ?? null })),
  }));
}

/** What the records of a batch are told that a broker does not take. */
export function errorOf(
  queue: PartitionQueue,
  errorCode: number,
  answer: PartitionAnswer | undefined,
): RefusedError {
  const [first] = answer?.recordErrors ?? [];
  const why = first?.batchIndexErrorMessage ?? answer?.errorMessage ?? null;
  const { topic, partition } = queue;
  return new RefusedError(errorCode, { topic, partition, recordIndex: first?.batchIndex, why });
}

export function titleOf({ topic, partition }: PartitionQueue): string {
  return `${topic}-${partition}`;
}
