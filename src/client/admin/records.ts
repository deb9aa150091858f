import { ErrorCode } from '../../model/errors.ts';
import type { Offset } from '../../model/ids.ts';
import { deleteRecordsApi } from '../../wire/apis/21-delete-records.ts';
import { BrokerError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Position } from '../fetch/position.ts';
import { type TopicPartition, titleOf } from '../topic-partition.ts';
import { type AnyTopic, nameOf } from '../topics/topic.ts';
import { type AdminOptions, allOf, type Asking, DO_WITHIN_MS, type Outcome, outcomeOf } from './asking.ts';
import type { OffsetFinder } from './offset-finder.ts';
import { describeTopics } from './topic-descriptions.ts';

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
    const offsets = new Map(targets.map(({ partition, offset }) => [partition, offset]));
    const ask = async (some: readonly number[]) =>
      this.#asking.split(await this.#leadersOf(name, some, signal), (broker, mine) =>
        deleteAt(broker, { name, offsets, partitions: mine, signal }),
      );
    return allOf((await this.#asking.each([...offsets.keys()], ask, { signal })).values());
  }

  async #leadersOf(
    name: string,
    partitions: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<Map<number, Outcome<number>>> {
    const [found] = allOf((await describeTopics(this.#asking, [name], { signal })).values());
    const leaderIds = new Map(found?.partitions.map(({ partition, leaderId }) => [partition, leaderId]));
    return new Map(
      partitions.map((partition): [number, Outcome<number>] => {
        const leaderId = leaderIds.get(partition) ?? -1;
        const title = titleOf({ topic: name, partition });
        return [partition, leaderId < 0 ? new BrokerError(ErrorCode.LEADER_NOT_AVAILABLE, title) : leaderId];
      }),
    );
  }
}

async function deleteAt(
  broker: Exchange,
  {
    name,
    offsets,
    partitions,
    signal,
  }: {
    name: string;
    offsets: ReadonlyMap<number, Offset>;
    partitions: readonly number[];
    signal: AbortSignal | undefined;
  },
): Promise<Map<number, Outcome<DeletedRecords>>> {
  const parts = partitions.map((partition) => ({
    partitionIndex: partition,
    offset: offsets.get(partition) ?? 0,
  }));
  const request = { topics: [{ name, partitions: parts }], timeoutMs: DO_WITHIN_MS };
  const { topics } = await broker.request(deleteRecordsApi, DELETE_VERSIONS, request, { signal });
  return new Map(
    topics.flatMap((topic) =>
      topic.partitions.map(({ partitionIndex: partition, lowWatermark, errorCode }) => {
        const at = { topic: name, partition };
        const value = { ...at, startOffset: lowWatermark };
        return [partition, outcomeOf({ errorCode }, { where: titleOf(at), value })];
      }),
    ),
  );
}
