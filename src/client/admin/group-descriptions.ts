import { ErrorCode, KafkaError } from '../../model/errors.ts';
import { type DescribeGroupsResponse, describeGroupsApi } from '../../wire/apis/15-describe-groups.ts';
import {
  consumerGroupDescribeApi,
  type ConsumerGroupDescribeResponse,
} from '../../wire/apis/69-consumer-group-describe.ts';
import { shareGroupDescribeApi } from '../../wire/apis/77-share-group-describe.ts';
import { BrokerError, MilenaError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { CONSUMER_PROTOCOL } from '../../wire/consumer-protocol.ts';
import { decodeAssignment } from '../group/consumer-protocol.ts';
import type { TopicPartition } from '../topic-partition.ts';
import { type AdminOptions, type Asking, type Outcome, outcomeOf } from './asking.ts';

const CLASSIC_VERSIONS = { min: 0, max: 6 };
const CONSUMER_VERSIONS = { min: 0, max: 1 };
const SHARE_VERSIONS = { min: 1, max: 1 };
const NONE: ReadonlyMap<string, Outcome<GroupDescription>> = new Map();
/** What brokers before KIP-1043 call a group that is not there. */
const DEAD = 'Dead';

export interface GroupDescription {
  groupId: string;
  type: 'classic' | 'consumer' | 'share';
  /** `Stable`, `Empty`, `PreparingRebalance`, … */
  state: string;
  protocolType: string;
  /** How partitions are given out; empty while that is not settled. */
  assignor: string;
  members: GroupMember[];
}

export interface GroupMember {
  memberId: string;
  /** Of a static member (KIP-345). */
  instanceId: string | null;
  clientId: string;
  clientHost: string;
  /** None while the group rebalances. */
  assignment: TopicPartition[];
}

/** What coordinators say of their groups; one of the new protocol (KIP-848) has to be asked for in its own way. */
export async function describeGroups(
  asking: Asking,
  groupIds: readonly string[],
  { signal }: AdminOptions,
): Promise<Map<string, Outcome<GroupDescription>>> {
  return asking.ofGroups<GroupDescription>(
    groupIds,
    async (broker, mine) => {
      const found = await askForNew(broker, mine, signal);
      const others = mine.filter((groupId) => !found.has(groupId));
      const shared = others.length === 0 ? NONE : await askForShared(broker, others, signal);
      const rest = others.filter((groupId) => !shared.has(groupId));
      const classic = rest.length === 0 ? NONE : await askForClassic(broker, rest, signal);
      return new Map([...found, ...shared, ...classic]);
    },
    { signal },
  );
}

/** Those it knows; a broker that does not know the new protocol has no such groups. */
async function askForNew(
  broker: Exchange,
  groupIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, Outcome<GroupDescription>>> {
  if (!broker.versions.has(consumerGroupDescribeApi.key)) return new Map();
  const request = { groupIds: [...groupIds], includeAuthorizedOperations: false };
  const { groups } = await broker.request(consumerGroupDescribeApi, CONSUMER_VERSIONS, request, { signal });
  const known = groups.filter(({ errorCode }) => !NOT_OF_THIS_KIND.has(errorCode));
  return new Map(
    known.map((group) => {
      const value = newDescription(group);
      return [group.groupId, outcomeOf(group, { where: titleOf(group.groupId), value })];
    }),
  );
}

/** Likewise, share groups (KIP-932). */
async function askForShared(
  broker: Exchange,
  groupIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, Outcome<GroupDescription>>> {
  if (!broker.versions.has(shareGroupDescribeApi.key)) return new Map();
  const request = { groupIds: [...groupIds], includeAuthorizedOperations: false };
  const { groups } = await broker.request(shareGroupDescribeApi, SHARE_VERSIONS, request, { signal });
  const known = groups.filter(({ errorCode }) => !NOT_OF_THIS_KIND.has(errorCode));
  return new Map(
    known.map((group) => {
      const members = group.members.map((member) => ({ ...member, instanceId: null }));
      const kind = { type: 'share' as const, protocolType: 'share' };
      const value = { ...newDescription({ ...group, members }), ...kind };
      return [group.groupId, outcomeOf(group, { where: titleOf(group.groupId), value })];
    }),
  );
}

/** A broker may have the API and the protocol switched off. */
const NOT_OF_THIS_KIND: ReadonlySet<number> = new Set([
  ErrorCode.GROUP_ID_NOT_FOUND,
  ErrorCode.UNSUPPORTED_VERSION,
]);

async function askForClassic(
  broker: Exchange,
  groupIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, Outcome<GroupDescription>>> {
  const request = { groups: [...groupIds], includeAuthorizedOperations: false };
  const { groups } = await broker.request(describeGroupsApi, CLASSIC_VERSIONS, request, { signal });
  return new Map(
    groups.map((group): [string, Outcome<GroupDescription>] => {
      const where = titleOf(group.groupId);
      const isGone = group.errorCode === ErrorCode.NONE && group.groupState === DEAD;
      if (isGone) return [group.groupId, new BrokerError(ErrorCode.GROUP_ID_NOT_FOUND, where)];
      const value = classicDescription(group);
      return [group.groupId, outcomeOf(group, { where, value })];
    }),
  );
}

type NewMember = Pick<
  ConsumerGroupDescribeResponse['groups'][number]['members'][number],
  'memberId' | 'instanceId' | 'clientId' | 'clientHost' | 'assignment'
>;

function newDescription(group: {
  groupId: string;
  groupState: string;
  assignorName: string;
  members: NewMember[];
}): GroupDescription {
  const { groupId, groupState: state, assignorName: assignor, members } = group;
  const about = { groupId, type: 'consumer' as const, state, protocolType: CONSUMER_PROTOCOL };
  return {
    ...about,
    assignor,
    members: members.map(({ memberId, instanceId, clientId, clientHost, assignment }) => ({
      memberId,
      instanceId,
      clientId,
      clientHost,
      assignment: assignment.topicPartitions.flatMap(({ topicName, partitions }) =>
        partitions.map((partition) => ({ topic: topicName, partition })),
      ),
    })),
  };
}

function classicDescription(group: DescribeGroupsResponse['groups'][number]): GroupDescription {
  const { groupId, groupState: state, protocolType, protocolData: assignor, members } = group;
  const isOfConsumers = protocolType === CONSUMER_PROTOCOL;
  return {
    groupId,
    type: 'classic',
    state,
    protocolType,
    assignor,
    members: members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => ({
      memberId,
      instanceId: groupInstanceId,
      clientId,
      clientHost,
      assignment: isOfConsumers ? assignmentIn(memberAssignment) : [],
    })),
  };
}

/** A leader may hand out anything; a description goes on without it. */
function assignmentIn(bytes: Uint8Array): TopicPartition[] {
  try {
    return decodeAssignment(bytes);
  } catch (error) {
    if (error instanceof KafkaError) return [];
    throw error;
  }
}

function titleOf(groupId: string): string {
  return `group ${groupId}`;
}

/** Whether a group has none who would be disturbed: it is empty, or not there at all. */
export function hasNoMembers(outcome: Outcome<GroupDescription>): boolean {
  if (outcome instanceof MilenaError) {
    if (outcome.code === 'GROUP_ID_NOT_FOUND') return true;
    throw outcome;
  }
  return outcome.state === 'Empty' || outcome.state === DEAD;
}
