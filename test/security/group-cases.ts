import { AclOperation as Op } from '../../src/security/acl.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { leaveGroupApi } from '../../src/wire/apis/13-leave-group.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import { describeGroupsApi } from '../../src/wire/apis/15-describe-groups.ts';
import { deleteGroupsApi } from '../../src/wire/apis/42-delete-groups.ts';
import { offsetDeleteApi } from '../../src/wire/apis/47-offset-delete.ts';
import { consumerGroupHeartbeatApi } from '../../src/wire/apis/68-consumer-group-heartbeat.ts';
import { consumerGroupDescribeApi } from '../../src/wire/apis/69-consumer-group-describe.ts';
import type { RawClient } from '../gateway/raw-client.ts';
import { type Case, onGroup } from './case.ts';

/** APIs of groups. */
export const groupCases = (client: () => RawClient): Case[] => [
  {
    api: 'FindCoordinator',
    ask: async () =>
      (await client().send(findCoordinatorApi, 6, { keyType: 0, coordinatorKeys: ['team'] })).coordinators[0]
        ?.errorCode,
    denied: 30,
    needs: onGroup(Op.DESCRIBE),
  },
  {
    api: 'JoinGroup',
    ask: async () => {
      const answer = await client().send(joinGroupApi, 9, joinBody());
      // Told which member it is, it would go on.
      return answer.errorCode === 79 ? 0 : answer.errorCode;
    },
    denied: 30,
    needs: onGroup(Op.READ),
  },
  {
    api: 'SyncGroup',
    ask: async () => unknownMember((await client().send(syncGroupApi, 5, memberBody())).errorCode),
    denied: 30,
    needs: onGroup(Op.READ),
  },
  {
    api: 'Heartbeat',
    ask: async () => unknownMember((await client().send(heartbeatApi, 4, memberBody())).errorCode),
    denied: 30,
    needs: onGroup(Op.READ),
  },
  {
    api: 'LeaveGroup',
    ask: async () => {
      const members = [{ memberId: 'nobody', groupInstanceId: null }];
      return (await client().send(leaveGroupApi, 4, { groupId: 'team', members })).errorCode;
    },
    denied: 30,
    needs: onGroup(Op.READ),
  },
  {
    api: 'ConsumerGroupHeartbeat',
    ask: async () => {
      const body = { groupId: 'team', memberId: 'nobody', memberEpoch: 5 };
      const { errorCode } = await client().send(consumerGroupHeartbeatApi, 1, body);
      return errorCode === 69 ? 0 : unknownMember(errorCode);
    },
    denied: 30,
    needs: onGroup(Op.READ),
  },
  {
    api: 'ConsumerGroupDescribe',
    ask: async () => {
      const { groups } = await client().send(consumerGroupDescribeApi, 0, {
        groupIds: ['team'],
        includeAuthorizedOperations: false,
      });
      return groups[0]?.errorCode === 69 ? 0 : groups[0]?.errorCode;
    },
    denied: 30,
    needs: onGroup(Op.DESCRIBE),
  },
  {
    api: 'OffsetFetch',
    ask: async () => {
      const groups = [{ groupId: 'team', memberId: null, memberEpoch: -1, topics: null }];
      return (await client().send(offsetFetchApi, 9, { groups })).groups[0]?.errorCode;
    },
    denied: 30,
    needs: onGroup(Op.DESCRIBE),
  },
  {
    api: 'OffsetFetch of one',
    ask: async () => (await client().send(offsetFetchApi, 5, { groupId: 'team', topics: null })).errorCode,
    denied: 30,
    needs: onGroup(Op.DESCRIBE),
  },
  {
    api: 'OffsetDelete',
    ask: async () => {
      const { errorCode } = await client().send(offsetDeleteApi, 0, { groupId: 'team', topics: [] });
      return errorCode === 69 ? 0 : errorCode;
    },
    denied: 30,
    needs: onGroup(Op.DELETE),
  },
  {
    api: 'DescribeGroups',
    ask: async () => (await client().send(describeGroupsApi, 5, { groups: ['team'] })).groups[0]?.errorCode,
    denied: 30,
    needs: onGroup(Op.DESCRIBE),
  },
  {
    api: 'DeleteGroups',
    ask: async () => {
      const code = (await client().send(deleteGroupsApi, 2, { groupsNames: ['team'] })).results[0]?.errorCode;
      return code === 69 ? 0 : code;
    },
    denied: 30,
    needs: onGroup(Op.DELETE),
  },
];

function joinBody() {
  const protocols = [{ name: 'range', metadata: new Uint8Array(0) }];
  const times = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 };
  return { groupId: 'team', memberId: '', protocolType: 'consumer', protocols, ...times };
}

function memberBody() {
  return {
    groupId: 'team',
    generationId: 1,
    memberId: 'nobody',
    protocolType: null,
    protocolName: null,
    assignments: [],
  };
}

const unknownMember = (errorCode: number) => (errorCode === 25 ? 0 : errorCode);
