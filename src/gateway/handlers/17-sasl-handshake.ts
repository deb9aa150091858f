import { ErrorCode } from '../../model/errors.ts';
import { saslHandshakeApi } from '../../wire/apis/17-sasl-handshake.ts';
import { handler } from '../handler.ts';
import { refuseLogin } from './36-sasl-authenticate.ts';

/** Chooses a mechanism. A listener without logins has nobody to authenticate: ILLEGAL_SASL_STATE, as Kafka says. */
export const saslHandshake = handler({
  api: saslHandshakeApi,
  min: 0,
  max: 1,
  exclusive: true,
  handle(call, { mechanism }) {
    const { login } = call.connection;
    if (login === undefined) return call.reply({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] });
    const mechanisms = [...login.mechanisms];
    const refusal = login.choose(mechanism, { isBare: call.version === 0 });
    if (refusal === undefined) return call.reply({ errorCode: ErrorCode.NONE, mechanisms });
    const isOther = refusal === 'another';
    const errorCode = isOther ? ErrorCode.ILLEGAL_SASL_STATE : ErrorCode.UNSUPPORTED_SASL_MECHANISM;
    refuseLogin(call, { errorCode, mechanisms });
  },
});
