import { ErrorCode } from '../../model/errors.ts';
import { listGroupsApi } from '../../wire/apis/16-list-groups.ts';
import { deleteGroupsApi } from '../../wire/apis/42-delete-groups.ts';
import { offsetDeleteApi } from '../../wire/apis/47-offset-delete.ts';
import { listsOf } from '../group/consumer-protocol.ts';
import type { TopicPartition } from '../topic-partition.ts';
import { type AdminOptions, allFor, allOf, type AskBroker, type Asking, outcomeOf } from './asking.ts';
import { describeGroups, type GroupDescription } from './group-descriptions.ts';
import { type GroupLag, type LagOptions, lagsOf } from './group-lag.ts';
import { type GroupOffset, offsetsOfGroups } from './group-offsets.ts';
import { type GroupReset, type ResetOptions, resetGroup } from './group-reset.ts';
import type { OffsetFinder } from './offset-finder.ts';
import { type ShareGroupOffset, shareOffsetsOf } from './share-offsets.ts';

/** v4 filters by state, v5 by type. */
const LIST_VERSIONS = { min: 0, max: 5 };
const STATES_VERSION = 4;
const TYPES_VERSION = 5;
const DELETE_VERSIONS = { min: 0, max: 2 };
const OFFSET_DELETE_VERSIONS = { min: 0, max: 0 };

export interface GroupListing {
  groupId: string;
  /** `Stable`, `Empty`, `PreparingRebalance`, …; empty where the broker is too old to say. */
  state: string;
  /** `classic`, `consumer`, `share`, …; empty where the broker is too old to say. */
  type: string;
  protocolType: string;
}

/** Consumer groups: `client.admin.groups`. */
export class GroupsAdmin {
  readonly #asking: Asking;
  readonly #finder: OffsetFinder;

  /** @internal */
  constructor(asking: Asking, finder: OffsetFinder) {
    this.#asking = asking;
    this.#finder = finder;
  }

  /** All groups of all brokers, by name. */
  async list({
    states = [],
    types = [],
    signal,
  }: AdminOptions & { states?: readonly string[]; types?: readonly string[] } = {}): Promise<GroupListing[]> {
    const needed = types.length > 0 ? TYPES_VERSION : states.length > 0 ? STATES_VERSION : 0;
    const versions = { ...LIST_VERSIONS, min: needed };
    const request = { statesFilter: [...states], typesFilter: [...types] };
    const found = await this.#asking.ofBrokers(
      async (broker, where) => {
        const answer = await broker.request(listGroupsApi, versions, request, { signal });
        return outcomeOf(answer, { where, value: answer.groups });
      },
      { signal },
    );
    // While a coordinator moves two may name a group.
    const byId = new Map(found.flat().map((group) => [group.groupId, group]));
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
    const groupIds = isOne ? [given] : given;
    const described = allFor(groupIds, await describeGroups(this.#asking, groupIds, options));
    return isOne ? (described[0] as GroupDescription) : described;
  }

  /** Where a group goes on: all that it has committed. Of a group that is not there it is nothing. */
  async offsets(groupId: string, options: AdminOptions = {}): Promise<GroupOffset[]> {
    const [found = []] = allOf((await offsetsOfGroups(this.#asking, [groupId], options)).values());
    return found;
  }

  /** Where a share group is, in all partitions that it reads. @throws MilenaError GROUP_ID_NOT_FOUND */
  shareOffsets(groupId: string, options: AdminOptions = {}): Promise<ShareGroupOffset[]> {
    return shareOffsetsOf(this.#asking, groupId, options);
  }

  /**
   * How far a group is behind, by partition: of those it has committed, and those its members have.
   * @throws MilenaError GROUP_ID_NOT_FOUND
   */
  lag(groupId: string, options?: LagOptions): Promise<GroupLag>;
  /** As many, in order, with few requests. */
  lag(groupIds: readonly string[], options?: LagOptions): Promise<GroupLag[]>;
  async lag(given: string | readonly string[], options: LagOptions = {}): Promise<GroupLag | GroupLag[]> {
    const isOne = typeof given === 'string';
    const parts = { asking: this.#asking, finder: this.#finder };
    const lags = await lagsOf(parts, isOne ? [given] : given, options);
    return isOne ? (lags[0] as GroupLag) : lags;
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
