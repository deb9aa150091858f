import { describeClientQuotas as describe } from '../../metadata/client-quotas.ts';
import { describeClientQuotasApi } from '../../wire/apis/48-describe-client-quotas.ts';
import { handler } from '../handler.ts';

/** Read from the gateway's own copy of the metadata. */
export const describeClientQuotas = handler({
  api: describeClientQuotasApi,
  min: 0,
  max: 1,
  handle: (call, request) => call.reply(describe(call.gateway.image, request)),
});
