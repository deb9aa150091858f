import { alterShareGroupOffsetsApi } from '../../wire/apis/91-alter-share-group-offsets.ts';
import { SHARE_GROUP_STATE_TOPIC } from '../../model/ids.ts';
import { groupHandler } from '../groups.ts';

/** Moves a share group that has no members; its coordinator sees to it. */
export const alterShareGroupOffsets = groupHandler({
  api: alterShareGroupOffsetsApi,
  min: 0,
  max: 0,
  feature: 'share.version',
  topic: SHARE_GROUP_STATE_TOPIC,
  groupId: (request) => request.groupId,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, responses: [] }),
});
