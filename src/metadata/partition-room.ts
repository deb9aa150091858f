import { ErrorCode, KafkaError } from '../model/errors.ts';
import { isInternalTopic } from './internal-topics.ts';
import type { ControllerContext } from './outcome.ts';

/** Ours, for homes where each partition is an object of its own: how many all topics may have together. */
const PARTITIONS_MAX = 'milena.partitions.max';

/** How many more partitions there may be. Without the setting any number; what coordinators keep does not count. */
export class PartitionRoom {
  readonly #max: number;
  #left: number;

  constructor({ image, staticConfigs }: Pick<ControllerContext, 'image' | 'staticConfigs'>) {
    this.#max = Number(staticConfigs.get(PARTITIONS_MAX) ?? Infinity);
    this.#left = this.#max;
    if (this.#max === Infinity) return;
    for (const name of image.topicNames())
      if (!isInternalTopic(name)) this.#left -= image.topic(name)?.partitions.length ?? 0;
  }

  /** @throws {KafkaError} POLICY_VIOLATION when there is no room for so many. */
  take(topic: string, count: number): void {
    if (isInternalTopic(topic)) return;
    if (count > this.#left) {
      const message = `${PARTITIONS_MAX} is ${this.#max}: there is room for ${Math.max(0, this.#left)} more partitions`;
      throw new KafkaError(ErrorCode.POLICY_VIOLATION, message);
    }
    this.#left -= count;
  }
}
