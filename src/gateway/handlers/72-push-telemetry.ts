import { ErrorCode } from '../../model/errors.ts';
import { pushTelemetryApi } from '../../wire/apis/72-push-telemetry.ts';
import { handler } from '../handler.ts';
import { clientFacts, telemetryClient } from '../telemetry/client-facts.ts';

const CODEC_MAX = 4;

/** Metrics of a client, for whoever receives them (KIP-714). */
export const pushTelemetry = handler({
  api: pushTelemetryApi,
  min: 0,
  max: 0,
  isOff: ({ telemetry }) => telemetry === undefined,
  handle(call, request) {
    const { telemetry, clock } = call.gateway;
    if (telemetry === undefined)
      return call.reply({ throttleTimeMs: 0, errorCode: ErrorCode.UNSUPPORTED_VERSION });
    const { metrics, compressionType, clientInstanceId } = request;
    const answer = (errorCode: number) => {
      telemetry.pushed(errorCode, metrics.length);
      call.reply({ throttleTimeMs: 0, errorCode });
    };
    const isKnownCodec = compressionType >= 0 && compressionType <= CODEC_MAX;
    const push = { ...request, isKnownCodec, bytes: metrics.length };
    const refusal = telemetry.refusalOf(push, clientFacts(call), clock.now());
    if (refusal !== ErrorCode.NONE || metrics.length === 0) return answer(refusal);
    const client = telemetryClient(call, clientInstanceId);
    telemetry.receiver.take({ client, compressionType, metrics }).then(
      () => answer(ErrorCode.NONE),
      () => answer(ErrorCode.INVALID_RECORD),
    );
  },
});
