import { ErrorCode } from '../../model/errors.ts';
import { type CreateAclsRequest, createAclsApi } from '../../wire/apis/30-create-acls.ts';
import { askController } from '../controller.ts';
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
    askController(call, request, (errorCode) => refuseCreations(errorCode, request));
  },
});

export function refuseCreations(
  errorCode: number,
  { creations }: CreateAclsRequest,
  errorMessage: string | null = null,
) {
  return { throttleTimeMs: 0, results: creations.map(() => ({ errorCode, errorMessage })) };
}
