import { ErrorCode } from '../../model/errors.ts';
import type { LeaderEpoch, Offset } from '../../model/ids.ts';
import { offsetFetchApi, type OffsetFetchResponse } from '../../wire/apis/09-offset-fetch.ts';
import { listGroupsApi } from '../../wire/apis/16-list-groups.ts';
import { deleteGroupsApi } from '../../wire/apis/42-delete-groups.ts';
import { offsetDeleteApi } from '../../wire/apis/47-offset-delete.ts';
import { BrokerError } from '../errors.ts';
import { listsOf } from '../group/consumer-protocol.ts';
import { type TopicPartition, titleOf } from '../topic-partition.ts';
import { type AnyTopic } from '../topics/topic.ts';
import { type AdminOptions, allOf, type AskBroker, type Asking, outcomeOf } from './asking.ts';
import { describeGroups, type GroupDescription } from './group-descriptions.ts';
import { type GroupLag, lagOf } from './group-lag.ts';
import { type GroupReset, type ResetOptions, resetGroup } from './group-reset.ts';
import type { OffsetFinder } from './offset-finder.ts';
import { namesOf } from './topics.ts';

/** v4 filters by state, v5 by type. */
const LIST_VERSIONS = { min: 0, max: 5 };
const STATES_VERSION = 4;
const TYPES_VERSION = 5;
/** v2 can ask for all topics; v8 asks for many groups; v10 names topics by id. */
const FETCH_VERSIONS = { min: 2, max: 9 };
const MANY_GROUPS_VERSION = 8;
const DELETE_VERSIONS = { min: 0, max: 2 };
const OFFSET_DELETE_VERSIONS = { min: 0, max: 0 };

export interface GroupListing {
  groupId: string;
  /** `Stable`, `Empty`, `PreparingRebalance`, …; empty where the broker is too old to say. */
  state: string;
  /** `classic`, `consumer`, …; empty where the broker is too old to say. */
  type: string;
  protocolType: string;
}

/** Where a group goes on in a partition. */
export interface GroupOffset extends TopicPartition {
  offset: Offset;
  leaderEpoch: LeaderEpoch;
  /** What the group noted beside it. */
  metadata: string;
}

type Committed = OffsetFetchResponse['topics'][number]['partitions'][number] & TopicPartition;

/** Consumer groups: `client.admin.groups`. */
export class GroupsAdmin {
  readonly #asking: Asking;
  readonly #finder: OffsetFinder;

  /** @internal */
  constructor(asking: Asking, finder: OffsetFinder) {
    this.#asking = asking;
    this.#finder = finder;
  }

  /** All groups of all brokers, by name. If one broker cannot say, the whole fails: a list with holes would mislead. */
  async list({
    states = [],
    types = [],
    signal,
  }: AdminOptions & { states?: readonly string[]; types?: readonly string[] } = {}): Promise<GroupListing[]> {
    const needed = types.length > 0 ? TYPES_VERSION : states.length > 0 ? STATES_VERSION : 0;
    const versions = { ...LIST_VERSIONS, min: needed };
    const request = { statesFilter: [...states], typesFilter: [...types] };
    const { brokers } = await this.#asking.try(() => this.#asking.cluster.metadata([], signal), { signal });
    const ask = (some: readonly number[]) =>
      this.#asking.split(new Map(some.map((nodeId) => [nodeId, nodeId])), async (broker, [nodeId = -1]) => {
        const answer = await broker.request(listGroupsApi, versions, request, { signal });
        return new Map([[nodeId, outcomeOf(answer, { where: `broker ${nodeId}`, value: answer.groups })]]);
      });
    const nodeIds = brokers.map(({ nodeId }) => nodeId);
    const found = allOf((await this.#asking.each(nodeIds, ask, { signal })).values()).flat();
    // While a coordinator moves two may name a group.
    const byId = new Map(found.map((group) => [group.groupId, group]));
    return Array.from(byId.values(), ({ groupId, groupState, groupType, protocolType }) => ({
      groupId,
      state: groupState,
      type: groupType,
      protocolType,
    })).sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
  }

  /** State, members and what each of them has. @throws MilenaError GROUP_ID_NOT_FOUND */
  describe(groupId: string, options?: AdminOptions): Promise<GroupDescription>;
  /** As many, in order. */
  describe(groupIds: readonly string[], options?: AdminOptions): Promise<GroupDescription[]>;
  async describe(
    given: string | readonly string[],
    options: AdminOptions = {},
  ): Promise<GroupDescription | GroupDescription[]> {
    const isOne = typeof given === 'string';
    const outcomes = await describeGroups(this.#asking, isOne ? [given] : given, options);
    const described = allOf(outcomes.values());
    return isOne ? (described[0] as GroupDescription) : described;
  }

  /** Where a group goes on: all that it has committed. Of a group that is not there it is nothing. */
  async offsets(groupId: string, { signal }: AdminOptions = {}): Promise<GroupOffset[]> {
    const group = { groupId, topics: null };
    const ask: AskBroker<string, Committed[]> = async (broker) => {
      const request = { ...group, groups: [group] };
      const answer = await broker.request(offsetFetchApi, FETCH_VERSIONS, request, { signal });
      const isMany = broker.versionOf(offsetFetchApi, FETCH_VERSIONS) >= MANY_GROUPS_VERSION;
      const { errorCode, topics } = (isMany ? answer.groups[0] : answer) ?? answer;
      const value = topics.flatMap(({ name, partitions }) =>
        partitions.map((found) => ({ ...found, topic: name, partition: found.partitionIndex })),
      );
      return new Map([[groupId, outcomeOf({ errorCode }, { where: groupId, value })]]);
    };
    const [found = []] = allOf((await this.#asking.ofGroups([groupId], ask, { signal })).values());
    const bad = found.find(({ errorCode }) => errorCode !== ErrorCode.NONE);
    if (bad !== undefined) throw new BrokerError(bad.errorCode, `group ${groupId}, ${titleOf(bad)}`);
    return found
      .filter(({ committedOffset }) => committedOffset >= 0)
      .map(({ topic, partition, committedOffset, committedLeaderEpoch, metadata }) => ({
        topic,
        partition,
        offset: committedOffset,
        leaderEpoch: committedLeaderEpoch,
        metadata: metadata ?? '',
      }))
      .sort(inOrder);
  }

  /**
   * How far a group is behind, by partition: of those it has committed, and those its members have.
   * @throws MilenaError GROUP_ID_NOT_FOUND
   */
  async lag(
    groupId: string,
    options: AdminOptions & { topics?: readonly AnyTopic[] } = {},
  ): Promise<GroupLag> {
    const [description, committed] = await Promise.all([
      this.describe(groupId, options),
      this.offsets(groupId, options),
    ]);
    const { topics } = options;
    const names = topics === undefined ? undefined : new Set(namesOf(topics));
    const isWanted = ({ topic }: TopicPartition) => names?.has(topic) ?? true;
    return lagOf({ description, committed, isWanted, finder: this.#finder }, options);
  }

  /**
   * Moves a group to other offsets, of all that it has committed or all partitions of the topics that are named.
   * @param options.dryRun says what would be done, and does nothing.
   * @throws MilenaError NON_EMPTY_GROUP while it has members: they would go on where they are.
   */
  reset(groupId: string, options: ResetOptions): Promise<GroupReset> {
    return resetGroup({ asking: this.#asking, groups: this, finder: this.#finder }, groupId, options);
  }

  /**
   * Groups without members, and all that they have committed.
   * @throws MilenaError NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND
   */
  async delete(given: string | readonly string[], { signal }: AdminOptions = {}): Promise<void> {
    const groupIds = typeof given === 'string' ? [given] : given;
    const ask: AskBroker<string, true> = async (broker, groupsNames) => {
      const request = { groupsNames: [...groupsNames] };
      const { results } = await broker.request(deleteGroupsApi, DELETE_VERSIONS, request, { signal });
      return new Map(
        results.map((result) => [
          result.groupId,
          outcomeOf(result, { where: `group ${result.groupId}`, value: true }),
        ]),
      );
    };
    allOf((await this.#asking.ofGroups(groupIds, ask, { signal })).values());
  }

  /** What a group has committed of some partitions. @throws MilenaError GROUP_SUBSCRIBED_TO_TOPIC */
  async deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    { signal }: AdminOptions = {},
  ): Promise<void> {
    const topics = listsOf(partitions).map(({ topic, partitions: some }) => ({
      name: topic,
      partitions: some.map((partitionIndex) => ({ partitionIndex })),
    }));
    const where = `group ${groupId}`;
    const ask: AskBroker<string, true> = async (broker) => {
      const request = { groupId, topics };
      const answer = await broker.request(offsetDeleteApi, OFFSET_DELETE_VERSIONS, request, { signal });
      const failed = answer.topics
        .flatMap((topic) => topic.partitions)
        .find(({ errorCode }) => errorCode !== ErrorCode.NONE);
      const errorCode = answer.errorCode || (failed?.errorCode ?? ErrorCode.NONE);
      return new Map([[groupId, outcomeOf({ errorCode }, { where, value: true })]]);
    };
    allOf((await this.#asking.ofGroups([groupId], ask, { signal })).values());
  }
}

export function inOrder(a: TopicPartition, b: TopicPartition): number {
  if (a.topic === b.topic) return a.partition - b.partition;
  return a.topic < b.topic ? -1 : 1;
}
