import { describeScram } from '../../metadata/alter-scram.ts';
import { describeUserScramCredentialsApi } from '../../wire/apis/50-describe-user-scram-credentials.ts';
import { handler } from '../handler.ts';

/** Who may log in with SCRAM; their keys stay here. */
export const describeUserScramCredentials = handler({
  api: describeUserScramCredentialsApi,
  min: 0,
  max: 0,
  handle: (call, request) => call.reply(describeScram(call.gateway.image, request)),
});
