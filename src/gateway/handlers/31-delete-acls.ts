import { ErrorCode } from '../../model/errors.ts';
import { type DeleteAclsRequest, deleteAclsApi } from '../../wire/apis/31-delete-acls.ts';
import { askController } from '../controller.ts';
import { handler } from '../handler.ts';
import { NO_AUTHORIZER } from './29-describe-acls.ts';

/** The controller decides. */
export const deleteAcls = handler({
  api: deleteAclsApi,
  min: 1,
  max: 3,
  exclusive: true,
  handle(call, request) {
    if (call.gateway.authorizer === undefined)
      return call.reply(refuseDeletions(ErrorCode.SECURITY_DISABLED, request, NO_AUTHORIZER));
    askController(call, request, (errorCode) => refuseDeletions(errorCode, request));
  },
});

export function refuseDeletions(
  errorCode: number,
  { filters }: DeleteAclsRequest,
  errorMessage: string | null = null,
) {
  return {
    throttleTimeMs: 0,
    filterResults: filters.map(() => ({ errorCode, errorMessage, matchingAcls: [] })),
  };
}
