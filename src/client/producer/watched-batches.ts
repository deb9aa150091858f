import type { Clock } from '../../ports/clock.ts';
import type { Channel, ProduceMessage } from '../../ports/diagnostics.ts';
import type { BatchTold } from './batch.ts';

/** Tells a channel what becomes of batches. */
export function watchedBatches(
  channel: Channel<ProduceMessage>,
  clock: Clock,
): (place: { topic: string; partition: number }) => BatchTold {
  return ({ topic, partition }) =>
    ({ content, attempts, createdAtMs }, stored, error) => {
      if (!channel.hasSubscribers) return;
      const { recordsCount, sizeBytes } = content;
      const durationMs = clock.now() - createdAtMs;
      const baseOffset = stored?.baseOffset ?? -1;
      channel.publish({ topic, partition, recordsCount, sizeBytes, attempts, durationMs, baseOffset, error });
    };
}
