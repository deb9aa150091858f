import { deleteShareGroupOffsetsApi } from '../../wire/apis/92-delete-share-group-offsets.ts';
import { groupHandler } from '../groups.ts';

/** Forgets where a share group without members is in some topics; its coordinator sees to it. */
export const deleteShareGroupOffsets = groupHandler({
  api: deleteShareGroupOffsetsApi,
  min: 0,
  max: 0,
  feature: 'share.version',
  groupId: (request) => request.groupId,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, responses: [] }),
});
