import { ErrorCode } from '../../model/errors.ts';
import { CONSUMER_OFFSETS_TOPIC } from '../../model/ids.ts';
import { groupShard } from '../../ports/shard-link.ts';
import { type ListGroupsResponse, listGroupsApi } from '../../wire/apis/16-list-groups.ts';
import { Gather } from '../gather.ts';
import { coordinatorError } from '../groups.ts';
import { handler } from '../handler.ts';

/** All groups of all coordinators; one that cannot serve fails the whole, for a list with holes would mislead. */
export const listGroups = handler({
  api: listGroupsApi,
  min: 0,
  max: 5,
  handle(call, request) {
    const groups: ListGroupsResponse['groups'] = [];
    let errorCode: number = ErrorCode.NONE;
    const gather = new Gather(() => call.reply({ throttleTimeMs: 0, errorCode, groups }));
    for (const { index } of call.gateway.image.topic(CONSUMER_OFFSETS_TOPIC)?.partitions ?? []) {
      gather.enter();
      call.ask(groupShard(index), request, (reply) => {
        const listed = reply.body as ListGroupsResponse | undefined;
        if (listed === undefined) errorCode = coordinatorError(reply.errorCode ?? ErrorCode.NOT_COORDINATOR);
        else groups.push(...listed.groups);
        gather.leave();
      });
    }
    gather.seal();
  },
});
