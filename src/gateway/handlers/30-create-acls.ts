import { ErrorCode } from '../../model/errors.ts';
import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { type CreateAclsRequest, createAclsApi } from '../../wire/apis/30-create-acls.ts';
import { controllerError } from '../controller.ts';
import { handler } from '../handler.ts';
import { NO_AUTHORIZER } from './29-describe-acls.ts';

/** The controller decides. */
export const createAcls = handler({
  api: createAclsApi,
  min: 1,
  max: 3,
  exclusive: true,
  handle(call, request) {
    if (call.gateway.authorizer === undefined)
      return call.reply(refuseCreations(ErrorCode.SECURITY_DISABLED, request, NO_AUTHORIZER));
    call.ask(METADATA_SHARD, request, (reply) => {
      const errorCode = controllerError(reply);
      call.reply(errorCode === undefined ? reply.body : refuseCreations(errorCode, request));
    });
  },
});

export function refuseCreations(
  errorCode: number,
  { creations }: CreateAclsRequest,
  errorMessage: string | null = null,
) {
  return { throttleTimeMs: 0, results: creations.map(() => ({ errorCode, errorMessage })) };
}
