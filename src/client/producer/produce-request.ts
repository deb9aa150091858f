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

/** Seals what is not sealed yet, and gives what can be sent: what cannot be sealed is refused. */
export function pack(chosen: readonly Chosen[]): MaybePromise<Chosen[]> {
  const later: Promise<void>[] = [];
  for (const one of chosen) {
    const sealing = sealOne(one);
    if (sealing !== undefined) later.push(sealing);
  }
  const ready = () => chosen.filter(({ batch }) => batch.bytes !== undefined);
  return later.length === 0 ? ready() : Promise.all(later).then(ready);
}

/** @returns undefined when it is done at once. */
function sealOne({ queue, batch }: Chosen): Promise<void> | undefined {
  if (batch.bytes !== undefined) return undefined;
  const refuse = (error: unknown) => queue.answered(batch, 'refused', { ...NOT_SAID, error: error as Error });
  try {
    const sealed = batch.content.seal(batch.stamp);
    if (sealed instanceof Promise)
      return sealed.then((bytes) => {
        batch.bytes = bytes;
      }, refuse);
    batch.bytes = sealed;
  } catch (error) {
    refuse(error);
  }
  return undefined;
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
