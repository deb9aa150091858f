import { ErrorCode } from '../../model/errors.ts';
import { saslHandshakeApi } from '../../wire/apis/17-sasl-handshake.ts';
import { handler } from '../handler.ts';

/** A plaintext listener has nobody to authenticate: Kafka's answer is ILLEGAL_SASL_STATE. */
export const saslHandshake = handler({
  api: saslHandshakeApi,
  min: 0,
  max: 1,
  handle: (call) => call.reply({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] }),
});
