import { listConfigResources as list } from '../../metadata/list-config-resources.ts';
import { listConfigResourcesApi } from '../../wire/apis/74-list-config-resources.ts';
import { handler } from '../handler.ts';

/** Read from the gateway's own copy of the metadata. */
export const listConfigResources = handler({
  api: listConfigResourcesApi,
  min: 0,
  max: 1,
  handle(call, request) {
    call.reply(list(call.gateway.image, request, { isOld: call.version === 0 }));
  },
});
