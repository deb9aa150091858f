import { ErrorCode } from '../../model/errors.ts';
import { saslAuthenticateApi } from '../../wire/apis/36-sasl-authenticate.ts';
import { handler } from '../handler.ts';

/** See SaslHandshake: there is no handshake this could follow. */
export const saslAuthenticate = handler({
  api: saslAuthenticateApi,
  min: 0,
  max: 2,
  handle: (call) =>
    call.reply({
      errorCode: ErrorCode.ILLEGAL_SASL_STATE,
      errorMessage: 'this listener is plaintext: connect without SASL',
      authBytes: new Uint8Array(0),
    }),
});
