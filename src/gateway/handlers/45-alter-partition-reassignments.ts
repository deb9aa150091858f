import { alterPartitionReassignments as alter } from '../../metadata/reassignments.ts';
import { alterPartitionReassignmentsApi } from '../../wire/apis/45-alter-partition-reassignments.ts';
import { handler } from '../handler.ts';

/** Read from the gateway's own copy of the metadata: on one node nothing moves. */
export const alterPartitionReassignments = handler({
  api: alterPartitionReassignmentsApi,
  min: 0,
  max: 1,
  handle(call, request) {
    call.reply(alter(call.gateway.image, request));
  },
});
