import type { Offset } from '../../model/ids.ts';
import { deleteRecordsApi } from '../../wire/apis/21-delete-records.ts';
import type { Exchange } from '../exchange.ts';
import type { Position } from '../fetch/position.ts';
import { type TopicPartition, titleOf } from '../topic-partition.ts';
import { type AnyTopic, nameOf } from '../topics/topic.ts';
import { type AdminOptions, type Asking, DO_WITHIN_MS, type Outcome, outcomeOf } from './asking.ts';
import { ofLeaders } from './leaders.ts';
import type { OffsetFinder } from './offset-finder.ts';

const DELETE_VERSIONS = { min: 0, max: 2 };

export interface DeleteRecordsOptions extends AdminOptions {
  /** Where what stays begins: records before it go. `latest` deletes all there are. */
  before: Position;
  /** All unless given. */
  partitions?: readonly number[] | undefined;
  /** Only says what would be done. */
  dryRun?: boolean | undefined;
}

/** Where a partition begins then. */
export interface DeletedRecords extends TopicPartition {
  startOffset: Offset;
}

/** Records: `client.admin.records`. */
export class RecordsAdmin {
  readonly #asking: Asking;
  readonly #finder: OffsetFinder;

  /** @internal */
  constructor(asking: Asking, finder: OffsetFinder) {
    this.#asking = asking;
    this.#finder = finder;
  }

  /**
   * Deletes the oldest records of a topic, for good.
   * @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION: nothing was done. UNSUPPORTED_VERSION where a broker cannot do it;
   *   after that and others some partitions may be done.
   */
  async delete(
    topic: AnyTopic,
    { before, partitions, dryRun = false, signal }: DeleteRecordsOptions,
  ): Promise<DeletedRecords[]> {
    const name = nameOf(topic);
    const all = await this.#finder.partitionsOf(name, { signal });
    const wanted = all.filter(({ partition }) => partitions?.includes(partition) ?? true);
    const targets = await this.#finder.resolve(wanted, before, { signal });
    if (dryRun) return targets.map(({ offset, ...at }) => ({ ...at, startOffset: offset }));
    const offsets = new Map(targets.map((target) => [titleOf(target), target.offset]));
    return ofLeaders(this.#asking, targets, {
      signal,
      ask: (broker, mine) => deleteAt(broker, mine, { name, offsets, signal }),
    });
  }
}

async function deleteAt(
  broker: Exchange,
  partitions: readonly TopicPartition[],
  { name, offsets, signal }: AdminOptions & { name: string; offsets: ReadonlyMap<string, Offset> },
): Promise<Map<string, Outcome<DeletedRecords>>> {
  const parts = partitions.map((at) => ({
    partitionIndex: at.partition,
    offset: offsets.get(titleOf(at)) ?? 0,
  }));
  const request = { topics: [{ name, partitions: parts }], timeoutMs: DO_WITHIN_MS };
  const { topics } = await broker.request(deleteRecordsApi, DELETE_VERSIONS, request, { signal });
  return new Map(
    topics.flatMap((topic) =>
      topic.partitions.map(({ partitionIndex: partition, lowWatermark, errorCode }) => {
        const at = { topic: name, partition };
        const value = { ...at, startOffset: lowWatermark };
        return [titleOf(at), outcomeOf({ errorCode }, { where: titleOf(at), value })];
      }),
    ),
  );
}
