import { ErrorCode } from '../../model/errors.ts';
import { BrokerError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { titleOf, type TopicPartition } from '../topic-partition.ts';
import { type AdminOptions, allFor, allOf, type Asking, type Outcome, unknownTopic } from './asking.ts';
import { describeTopics } from './topic-descriptions.ts';

/** Asks one leader for its partitions: an outcome a title. */
type AskLeader<T> = (broker: Exchange, mine: readonly TopicPartition[]) => Promise<Map<string, Outcome<T>>>;

/**
 * Asks the leaders of partitions, each for its own; what may pass is tried again. In the order of the partitions.
 * @throws MilenaError of the first that fails for good.
 */
export async function ofLeaders<T>(
  asking: Asking,
  partitions: readonly TopicPartition[],
  { ask, ...options }: AdminOptions & { ask: AskLeader<T> },
): Promise<T[]> {
  const byTitle = new Map(partitions.map((at) => [titleOf(at), at]));
  const partitionsOf = (titles: readonly string[]) => titles.flatMap((title) => byTitle.get(title) ?? []);
  const askAll = async (titles: readonly string[]) =>
    asking.split(await leadersOf(asking, partitionsOf(titles), options), (broker, mine) =>
      ask(broker, partitionsOf(mine)),
    );
  const titles = [...byTitle.keys()];
  return allFor(titles, await asking.each(titles, askAll, options));
}

/** By title. @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION */
async function leadersOf(
  asking: Asking,
  partitions: readonly TopicPartition[],
  options: AdminOptions,
): Promise<Map<string, Outcome<number>>> {
  const names = [...new Set(partitions.map(({ topic }) => topic))];
  const described = allOf((await describeTopics(asking, names, options)).values());
  const leaderIds = new Map(
    described.flatMap(({ name, partitions: all }) =>
      all.map(({ partition, leaderId }) => [titleOf({ topic: name, partition }), leaderId]),
    ),
  );
  return new Map(
    partitions.map(titleOf).map((title): [string, Outcome<number>] => {
      const leaderId = leaderIds.get(title);
      if (leaderId === undefined) return [title, unknownTopic(title)];
      return [title, leaderId < 0 ? new BrokerError(ErrorCode.LEADER_NOT_AVAILABLE, title) : leaderId];
    }),
  );
}
