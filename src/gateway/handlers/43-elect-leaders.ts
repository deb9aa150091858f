import { electLeaders as elect } from '../../metadata/elect-leaders.ts';
import { electLeadersApi } from '../../wire/apis/43-elect-leaders.ts';
import { handler } from '../handler.ts';

/** Read from the gateway's own copy of the metadata: on one node an election changes nothing. */
export const electLeaders = handler({
  api: electLeadersApi,
  min: 0,
  max: 2,
  handle(call, request) {
    call.reply(elect(call.gateway.image, request));
  },
});
