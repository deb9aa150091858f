import { ErrorCode } from '../../model/errors.ts';
import { type DeleteGroupsResponse, deleteGroupsApi } from '../../wire/apis/42-delete-groups.ts';
import { Gather } from '../gather.ts';
import { coordinatorError, coordinatorOf } from '../groups.ts';
import { handler } from '../handler.ts';

/** Each group at its coordinator. */
export const deleteGroups = handler({
  api: deleteGroupsApi,
  min: 0,
  max: 2,
  handle(call, request) {
    const results: DeleteGroupsResponse['results'] = [];
    const gather = new Gather(() => call.reply({ throttleTimeMs: 0, results }));
    for (const groupId of request.groupsNames) {
      const result = { groupId, errorCode: ErrorCode.NOT_COORDINATOR as number };
      results.push(result);
      const shard = coordinatorOf(call, groupId);
      if (shard === undefined) continue;
      gather.enter();
      call.ask(shard, { groupsNames: [groupId] }, (reply) => {
        const answered = (reply.body as DeleteGroupsResponse | undefined)?.results[0];
        result.errorCode =
          answered?.errorCode ?? coordinatorError(reply.errorCode ?? ErrorCode.NOT_COORDINATOR);
        gather.leave();
      });
    }
    gather.seal();
  },
});
