import { ErrorCode } from '../../model/errors.ts';
import { LoginRefused } from '../../sasl/server.ts';
import { saslAuthenticateApi } from '../../wire/apis/36-sasl-authenticate.ts';
import type { Call } from '../call.ts';
import { handler } from '../handler.ts';

const NO_BYTES = new Uint8Array(0);

/** One step of a login. Who is refused hears of it a while later, and that is the end of the connection. */
export const saslAuthenticate = handler({
  api: saslAuthenticateApi,
  min: 0,
  max: 2,
  exclusive: true,
  handle(call, { authBytes }) {
    const { login } = call.connection;
    const failed = { authBytes: NO_BYTES, sessionLifetimeMs: 0 };
    if (login === undefined || !login.isUnderWay) {
      const errorMessage =
        login === undefined
          ? 'this listener is plaintext: connect without SASL'
          : 'SaslHandshake comes before SaslAuthenticate';
      const answer = { errorCode: ErrorCode.ILLEGAL_SASL_STATE, errorMessage, ...failed };
      return login === undefined ? call.reply(answer) : refuseLogin(call, answer);
    }
    login.step(authBytes).then(
      ({ known, ...told }) => {
        if (known !== undefined) call.connection.knows(known);
        call.reply({ errorCode: ErrorCode.NONE, errorMessage: null, ...told });
      },
      (error: unknown) => {
        const errorMessage = error instanceof LoginRefused ? error.message : 'Authentication failed';
        refuseLogin(call, { errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED, errorMessage, ...failed });
      },
    );
  },
});

/** A token of a client that speaks SaslHandshake v0: without header, and without an error to answer with. */
export function takeBareToken(call: Call, token: Uint8Array): void {
  call.connection.login?.step(token).then(
    ({ authBytes, known }) => {
      if (known !== undefined) call.connection.knows(known);
      call.replyBytes([sizeOf(authBytes), authBytes]);
    },
    () => later(call, () => call.close('login_refused')),
  );
}

/** Answers a while later (connection.failed.authentication.delay.ms), so that guessing takes time, and closes. */
export function refuseLogin(call: Call, answer: unknown): void {
  later(call, () => {
    call.reply(answer);
    call.close('login_refused');
  });
}

function later(call: Call, then: () => void): void {
  const { gateway, connection } = call;
  call.wakeAt(gateway.clock.now() + (connection.login?.refusalDelayMs ?? 0), then);
}

function sizeOf(bytes: Uint8Array): Uint8Array {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setInt32(0, bytes.length);
  return size;
}
