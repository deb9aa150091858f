import { ErrorCode } from '../../model/errors.ts';
import {
  type ConsumerGroupDescribeResponse,
  consumerGroupDescribeApi,
} from '../../wire/apis/69-consumer-group-describe.ts';
import { AclResource } from '../../security/acl.ts';
import { OPERATIONS_NOT_ASKED } from '../../security/operations.ts';
import { authorizedOperations } from '../access/operations.ts';
import { Gather } from '../gather.ts';
import { coordinatorError, coordinatorOf } from '../groups.ts';
import { handler } from '../handler.ts';

type Group = ConsumerGroupDescribeResponse['groups'][number];

/** States, members and assignments of groups of KIP-848, each group from its coordinator. */
export const consumerGroupDescribe = handler({
  api: consumerGroupDescribeApi,
  min: 0,
  max: 1,
  handle(call, request) {
    const groups: Group[] = [];
    const operationsOf = (name: string) =>
      authorizedOperations(call, request.includeAuthorizedOperations, { type: AclResource.GROUP, name });
    const gather = new Gather(() => call.reply({ throttleTimeMs: 0, groups }));
    request.groupIds.forEach((groupId, at) => {
      groups.push(refused(groupId, ErrorCode.NOT_COORDINATOR));
      const shard = coordinatorOf(call, groupId);
      if (shard === undefined) return;
      gather.enter();
      call.ask(shard, { ...request, groupIds: [groupId] }, (reply) => {
        const described = (reply.body as ConsumerGroupDescribeResponse | undefined)?.groups[0];
        groups[at] =
          described === undefined
            ? refused(groupId, coordinatorError(reply.errorCode ?? ErrorCode.NOT_COORDINATOR))
            : { ...described, authorizedOperations: operationsOf(groupId) };
        gather.leave();
      });
    });
    gather.seal();
  },
});

export function refused(groupId: string, errorCode: number): Group {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
    authorizedOperations: OPERATIONS_NOT_ASKED,
  };
}
