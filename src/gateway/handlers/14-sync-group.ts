import { syncGroupApi } from '../../wire/apis/14-sync-group.ts';
import { groupHandler } from '../groups.ts';

export const syncGroup = groupHandler({
  api: syncGroupApi,
  min: 0,
  max: 5,
  mayWait: true,
  groupId: (request) => request.groupId,
  refuse: (errorCode) => ({ errorCode, assignment: new Uint8Array(0), throttleTimeMs: 0 }),
});
