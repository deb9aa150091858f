import { ErrorCode } from '../../model/errors.ts';
import { type DescribeGroupsResponse, describeGroupsApi } from '../../wire/apis/15-describe-groups.ts';
import { AclResource } from '../../security/acl.ts';
import { OPERATIONS_NOT_ASKED } from '../../security/operations.ts';
import { authorizedOperations } from '../access/operations.ts';
import { Gather } from '../gather.ts';
import { coordinatorError, coordinatorOf } from '../groups.ts';
import { handler } from '../handler.ts';

type Group = DescribeGroupsResponse['groups'][number];

/** States and members, each group from its coordinator. */
export const describeGroups = handler({
  api: describeGroupsApi,
  min: 0,
  max: 6,
  handle(call, request) {
    const groups: Group[] = [];
    const operationsOf = (name: string) =>
      authorizedOperations(call, request.includeAuthorizedOperations, { type: AclResource.GROUP, name });
    const gather = new Gather(() => call.reply({ throttleTimeMs: 0, groups }));
    request.groups.forEach((groupId, at) => {
      groups.push(refused(groupId, ErrorCode.NOT_COORDINATOR));
      const shard = coordinatorOf(call, groupId);
      if (shard === undefined) return;
      gather.enter();
      call.ask(shard, { ...request, groups: [groupId] }, (reply) => {
        const described = (reply.body as DescribeGroupsResponse | undefined)?.groups[0];
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
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: OPERATIONS_NOT_ASKED,
  };
}
