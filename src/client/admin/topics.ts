import { ErrorCode } from '../../model/errors.ts';
import { isList } from '../../model/lists.ts';
import type { Uuid } from '../../model/ids.ts';
import { ZERO_UUID } from '../../model/ids.ts';
import { createTopicsApi } from '../../wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../wire/apis/20-delete-topics.ts';
import { createPartitionsApi } from '../../wire/apis/37-create-partitions.ts';
import { BrokerError, ConnectionLost, type MilenaError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { type AnyTopic, nameOf } from '../topics/topic.ts';
import {
  type AdminOptions,
  allFor,
  allOf,
  type Asking,
  DO_WITHIN_MS,
  type Outcome,
  outcomeOf,
  unknownTopic,
} from './asking.ts';
import { type ConfigsAdmin, type ConfigValue, textOf } from './configs.ts';
import { spanMs } from './span.ts';
import { descriptionOf, describeTopics, type TopicDescription } from './topic-descriptions.ts';

const CREATE_VERSIONS = { min: 2, max: 7 };
const DELETE_VERSIONS = { min: 1, max: 6 };
const CREATE_PARTITIONS_VERSIONS = { min: 0, max: 3 };
/** The broker's own. */
const DEFAULT = -1;

export interface TopicListing {
  name: string;
  /** All zero where the broker is too old to have ids. */
  id: Uuid;
  partitions: number;
  replicationFactor: number;
  /** Kafka's own, such as `__consumer_offsets`. */
  isInternal: boolean;
}

export interface NewTopicOptions extends AdminOptions {
  /** The broker's num.partitions unless given. */
  partitions?: number | undefined;
  /** The broker's default.replication.factor unless given. */
  replicationFactor?: number | undefined;
  /** By Kafka's names: `{ 'cleanup.policy': 'compact' }`. */
  configs?: Readonly<Record<string, ConfigValue>> | undefined;
  /** `retention.ms`: milliseconds, or such as `7d`. */
  retention?: number | string | undefined;
}

/** Topics: `client.admin.topics`. */
export class TopicsAdmin {
  readonly #asking: Asking;
  readonly #configs: ConfigsAdmin;

  /** @internal */
  constructor(asking: Asking, configs: ConfigsAdmin) {
    this.#asking = asking;
    this.#configs = configs;
  }

  /** All there are, by name; Kafka's own only with `internal`. */
  async list({ internal = false, signal }: AdminOptions & { internal?: boolean } = {}): Promise<
    TopicListing[]
  > {
    const { topics } = await this.#asking.try(() => this.#asking.cluster.metadata(null, signal), { signal });
    return topics
      .filter(({ isInternal }) => internal || !isInternal)
      .map(({ name, topicId, isInternal, partitions }) => ({
        name: name ?? '',
        id: topicId,
        partitions: partitions.length,
        replicationFactor: partitions[0]?.replicaNodes.length ?? 0,
        isInternal,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION */
  describe(topic: AnyTopic, options?: AdminOptions): Promise<TopicDescription>;
  /** As many, in order. */
  describe(topics: readonly AnyTopic[], options?: AdminOptions): Promise<TopicDescription[]>;
  async describe(
    given: AnyTopic | readonly AnyTopic[],
    options: AdminOptions = {},
  ): Promise<TopicDescription | TopicDescription[]> {
    const names = namesOf(given);
    const described = allFor(names, await describeTopics(this.#asking, names, options));
    return isList(given) ? described : (described[0] as TopicDescription);
  }

  /**
   * Makes a topic; resolves when each of its partitions has a leader.
   * @throws BrokerError TOPIC_ALREADY_EXISTS and what else the broker does not like.
   */
  async create(topic: AnyTopic, options: NewTopicOptions = {}): Promise<TopicDescription> {
    const name = nameOf(topic);
    const { partitions = DEFAULT, replicationFactor = DEFAULT, signal } = options;
    const configs = Object.entries(configsOf(options)).map(([key, value]) => ({
      name: key,
      value: textOf(value),
    }));
    const wanted = { name, numPartitions: partitions, replicationFactor, assignments: [], configs };
    await this.#once(
      async (controller) => {
        const request = { topics: [wanted], timeoutMs: DO_WITHIN_MS };
        const { topics } = await controller.request(createTopicsApi, CREATE_VERSIONS, request, { signal });
        return new Map(
          topics.map((answer) => [answer.name, outcomeOf(answer, { where: name, value: true })]),
        );
      },
      { names: [name], done: 'TOPIC_ALREADY_EXISTS', signal },
    );
    return this.#asking.try(() => this.#withLeaders(name, signal), { signal });
  }

  /**
   * Makes a topic if it is not there. If it is, partitions that are missing are added and settings that differ are
   * changed; its replication stays as it is, and so do partitions beyond those asked for.
   * @returns what had to be done.
   */
  async ensure(topic: AnyTopic, options: NewTopicOptions = {}): Promise<'created' | 'changed' | 'unchanged'> {
    const name = nameOf(topic);
    const { partitions = DEFAULT, signal } = options;
    const found = (await describeTopics(this.#asking, [name], { signal })).get(name);
    if (found !== undefined && 'code' in found) {
      if (found.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw found;
      try {
        await this.create(name, options);
        return 'created';
      } catch (error) {
        if ((error as Partial<MilenaError>).code !== 'TOPIC_ALREADY_EXISTS') throw error;
        return this.ensure(topic, options);
      }
    }
    const isShort = (found?.partitions.length ?? 0) < partitions;
    if (isShort) await this.createPartitions(name, partitions, { signal });
    const isChanged = await this.#configs.ensure({ topic: name }, configsOf(options), { signal });
    return isShort || isChanged ? 'changed' : 'unchanged';
  }

  /** @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION; those of a list that could be deleted are. */
  async delete(given: AnyTopic | readonly AnyTopic[], { signal }: AdminOptions = {}): Promise<void> {
    const names = namesOf(given);
    const ask = async (controller: Exchange, some: readonly string[]) => {
      const topics = some.map((name) => ({ name, topicId: ZERO_UUID }));
      const request = { topics, topicNames: [...some], timeoutMs: DO_WITHIN_MS };
      const { responses } = await controller.request(deleteTopicsApi, DELETE_VERSIONS, request, { signal });
      return new Map(
        responses.map(({ name, ...answer }): [string, Outcome<true>] => {
          const title = name ?? '';
          const isUnknown = answer.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
          return [title, isUnknown ? unknownTopic(title) : outcomeOf(answer, { where: title, value: true })];
        }),
      );
    };
    await this.#once(ask, { names, done: 'UNKNOWN_TOPIC_OR_PARTITION', signal });
    for (const name of names) this.#asking.cluster.forget(name);
  }

  /**
   * Adds partitions. Records of a key may go to another partition from then on.
   * @param count how many there are then. @throws BrokerError INVALID_PARTITIONS when that is not more than now.
   */
  async createPartitions(topic: AnyTopic, count: number, { signal }: AdminOptions = {}): Promise<void> {
    const name = nameOf(topic);
    const ask = async (controller: Exchange) => {
      const request = {
        topics: [{ name, count, assignments: null }],
        timeoutMs: DO_WITHIN_MS,
        validateOnly: false,
      };
      const { results } = await controller.request(createPartitionsApi, CREATE_PARTITIONS_VERSIONS, request, {
        signal,
      });
      return new Map(
        results.map((answer): [string, Outcome<true>] => {
          const isUnknown = answer.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
          return [name, isUnknown ? unknownTopic(name) : outcomeOf(answer, { where: name, value: true })];
        }),
      );
    };
    await this.#once(ask, { names: [name], done: 'INVALID_PARTITIONS', signal });
    await this.#asking.try(() => this.#withLeaders(name, signal, count), { signal });
  }

  /**
   * What can be done once only. @param done what is answered when it is done already: after an answer was lost that
   * is as good as the answer.
   */
  async #once(
    ask: (controller: Exchange, names: readonly string[]) => Promise<Map<string, Outcome<true>>>,
    { names, done, signal }: { names: readonly string[]; done: string; signal?: AbortSignal | undefined },
  ): Promise<void> {
    let wasLost = false;
    const asked = async (some: readonly string[]) => {
      const controller = await this.#asking.controller({ signal });
      try {
        const outcomes = await ask(controller, some);
        for (const [name, outcome] of outcomes)
          if (wasLost && outcome !== true && outcome.code === done) outcomes.set(name, true);
        return outcomes;
      } catch (error) {
        wasLost ||= error instanceof ConnectionLost;
        throw error;
      }
    };
    allOf((await this.#asking.each(names, asked, { signal })).values());
  }

  /** @throws BrokerError as long as it is not so; that may pass. */
  async #withLeaders(name: string, signal: AbortSignal | undefined, count = 1): Promise<TopicDescription> {
    const { topics } = await this.#asking.cluster.metadata([name], signal);
    const [topic] = topics;
    const isReady =
      topic !== undefined &&
      topic.errorCode === ErrorCode.NONE &&
      topic.partitions.length >= count &&
      topic.partitions.every(({ leaderId }) => leaderId >= 0);
    if (!isReady) throw new BrokerError(topic?.errorCode || ErrorCode.LEADER_NOT_AVAILABLE, name);
    const description = descriptionOf(topic);
    if ('code' in description) throw description;
    // What this client's producers and consumers know of it is news to them too.
    this.#asking.cluster.forget(name);
    await this.#asking.cluster.topic(name);
    return description;
  }
}

export function namesOf(given: AnyTopic | readonly AnyTopic[]): string[] {
  return isList(given) ? given.map(nameOf) : [nameOf(given)];
}

function configsOf({ configs = {}, retention }: NewTopicOptions): Readonly<Record<string, ConfigValue>> {
  return retention === undefined ? configs : { ...configs, 'retention.ms': spanMs('retention', retention) };
}
