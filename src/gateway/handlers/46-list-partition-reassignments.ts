import { listPartitionReassignments as list } from '../../metadata/reassignments.ts';
import { listPartitionReassignmentsApi } from '../../wire/apis/46-list-partition-reassignments.ts';
import { handler } from '../handler.ts';

/** Read from the gateway's own copy of the metadata. */
export const listPartitionReassignments = handler({
  api: listPartitionReassignmentsApi,
  min: 0,
  max: 0,
  handle(call, request) {
    call.reply(list(call.gateway.image, request));
  },
});
