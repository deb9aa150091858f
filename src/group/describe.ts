import { ErrorCode } from '../model/errors.ts';
import type { MachineRecord } from '../model/machine.ts';
import type { DescribeGroupsRequest, DescribeGroupsResponse } from '../wire/apis/15-describe-groups.ts';
import type { ListGroupsRequest, ListGroupsResponse } from '../wire/apis/16-list-groups.ts';
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../wire/apis/42-delete-groups.ts';
import { CONSUMER_PROTOCOL } from '../wire/consumer-protocol.ts';
import { CONSUMER_RECORDS } from './consumer-records.ts';
import { consumerTombstones } from './consumer-replay.ts';
import type { Asked, Context, Turn } from './context.ts';
import type { Group } from './group.ts';
import { metadataOf, NO_BYTES } from './member.ts';
import { groupRecord, offsetRecord } from './records.ts';
import { SHARE_RECORDS } from './share-records.ts';
import { shareTombstones } from './share-replay.ts';
import { statesOf } from './share-states.ts';

type DescribedGroup = DescribeGroupsResponse['groups'][number];

/** From this version on a group that does not exist is an error, before it was Dead (KIP-1043). */
const GROUP_ID_NOT_FOUND_VERSION = 6;
export const AUTHORIZED_OPERATIONS_NOT_ASKED = -0x8000_0000;

export function decideDescribeGroups(
  context: Context,
  turn: Turn,
  { from, apiVersion, body }: Asked<DescribeGroupsRequest>,
): void {
  const groups = body.groups.map((groupId) => {
    const group = context.groups.get(groupId);
    const isClassic = group?.consumer === undefined && group?.share === undefined;
    return group && isClassic ? describe(group) : describeAbsent(groupId, apiVersion, group);
  });
  turn.reply(from, { throttleTimeMs: 0, groups } satisfies DescribeGroupsResponse);
}

/** Groups of the other protocol are not there for whoever asks for classic ones. */
function describeAbsent(groupId: string, apiVersion: number, group: Group | undefined): DescribedGroup {
  const absent: DescribedGroup = {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId,
    groupState: 'Dead',
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: AUTHORIZED_OPERATIONS_NOT_ASKED,
  };
  if (groupId === '') return { ...absent, errorCode: ErrorCode.INVALID_GROUP_ID };
  if (apiVersion < GROUP_ID_NOT_FOUND_VERSION) return absent;
  const errorMessage = group ? `Group ${groupId} is not a classic group.` : `Group ${groupId} not found.`;
  return { ...absent, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage };
}

/** What members want and have is told of a stable group only: in any other it is about to change. */
function describe(group: Group): DescribedGroup {
  const isStable = group.state === 'Stable';
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType,
    protocolData: (isStable && group.protocol) || '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? metadataOf(member, group.protocol) : NO_BYTES,
      memberAssignment: isStable ? member.assignment : NO_BYTES,
    })),
    authorizedOperations: AUTHORIZED_OPERATIONS_NOT_ASKED,
  };
}

/** The groups of this partition alone; an empty filter lets all through. Filters know no case. */
export function decideListGroups(
  context: Context,
  turn: Turn,
  { from, body }: Asked<ListGroupsRequest>,
): void {
  const states = new Set(body.statesFilter.map((state) => state.toLowerCase()));
  const types = new Set(body.typesFilter.map((type) => type.toLowerCase()));
  const groups = [...context.groups.values()]
    .map(listedGroup)
    .filter(
      ({ groupState, groupType }) =>
        (states.size === 0 || states.has(groupState.toLowerCase())) &&
        (types.size === 0 || types.has(groupType)),
    );
  turn.reply(from, { throttleTimeMs: 0, errorCode: ErrorCode.NONE, groups } satisfies ListGroupsResponse);
}

function listedGroup({
  groupId,
  protocolType,
  state,
  consumer,
  share,
}: Group): ListGroupsResponse['groups'][number] {
  if (share !== undefined)
    return { groupId, protocolType: 'share', groupState: share.state, groupType: 'share' };
  if (consumer === undefined) return { groupId, protocolType, groupState: state, groupType: 'classic' };
  return { groupId, protocolType: CONSUMER_PROTOCOL, groupState: consumer.state, groupType: 'consumer' };
}

/** A group named twice is deleted by the first; a share group once its states are. */
export function decideDeleteGroups(
  context: Context,
  turn: Turn,
  { from, body }: Asked<DeleteGroupsRequest>,
): void {
  const deleted = new Set<string>();
  let waiting = 1;
  const leave = (now: Turn) => {
    if (--waiting === 0) now.reply(from, { throttleTimeMs: 0, results } satisfies DeleteGroupsResponse);
  };
  const results = body.groupsNames.map((groupId) => {
    const group = deleted.has(groupId) ? undefined : context.groups.get(groupId);
    const result = { groupId, errorCode: validateDelete(groupId, group) };
    if (group === undefined || result.errorCode !== ErrorCode.NONE) return result;
    deleted.add(groupId);
    waiting++;
    deleteStates(context, turn, group, (now, errorCode) => {
      result.errorCode = errorCode || validateDelete(groupId, context.groups.get(groupId));
      if (result.errorCode === ErrorCode.NONE)
        for (const tombstone of tombstones(group)) now.write(tombstone);
      leave(now);
    });
    return result;
  });
  leave(turn);
}

/** @param done called at once where there are none. */
function deleteStates(
  context: Context,
  turn: Turn,
  { groupId, share }: Group,
  done: (turn: Turn, errorCode: number) => void,
): void {
  const parts = share === undefined ? [] : statesOf({ share });
  if (parts.length === 0) return done(turn, ErrorCode.NONE);
  context.shareAsks.begin(turn, { groupId, kind: 'delete', parts }, (later, answers) =>
    done(later, answers.find(({ errorCode }) => errorCode !== ErrorCode.NONE)?.errorCode ?? ErrorCode.NONE),
  );
}

function validateDelete(groupId: string, group: Group | undefined): number {
  if (groupId === '') return ErrorCode.INVALID_GROUP_ID;
  if (!group) return ErrorCode.GROUP_ID_NOT_FOUND;
  const { state } = group.consumer ?? group.share ?? group;
  return state === 'Empty' ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP;
}

/**
 * What removes all of a group from the log: its positions first, so that no prefix of them leaves orphans.
 */
function* tombstones(group: Group): Iterable<MachineRecord> {
  for (const positions of [group.offsets, group.unstable])
    for (const [topic, partitions] of positions)
      for (const partition of partitions.keys())
        yield offsetRecord({ group: group.groupId, topic, partition }, null);
  yield* groupTombstones(group);
}

/** Likewise, but for its positions. */
export function* groupTombstones(group: Group): Iterable<MachineRecord> {
  if (group.stored) yield groupRecord(group.groupId, null);
  if (group.consumer)
    for (const each of consumerTombstones(group.groupId, group.consumer)) yield CONSUMER_RECORDS.encode(each);
  if (group.share)
    for (const each of shareTombstones(group.groupId, group.share)) yield SHARE_RECORDS.encode(each);
}
