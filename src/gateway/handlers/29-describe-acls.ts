import { describeAcls as describe } from '../../metadata/acls.ts';
import { ErrorCode } from '../../model/errors.ts';
import { describeAclsApi } from '../../wire/apis/29-describe-acls.ts';
import { handler } from '../handler.ts';

export const NO_AUTHORIZER = 'No Authorizer is configured.';

/** Read from the gateway's own copy of the metadata. */
export const describeAcls = handler({
  api: describeAclsApi,
  min: 1,
  max: 3,
  handle(call, request) {
    const { image, authorizer } = call.gateway;
    if (authorizer !== undefined) return call.reply(describe(image, request));
    const errorCode = ErrorCode.SECURITY_DISABLED;
    call.reply({ throttleTimeMs: 0, errorCode, errorMessage: NO_AUTHORIZER, resources: [] });
  },
});
