import { ErrorCode } from '../../model/errors.ts';
import { ZERO_UUID } from '../../model/ids.ts';
import { getTelemetrySubscriptionsApi } from '../../wire/apis/71-get-telemetry-subscriptions.ts';
import { handler } from '../handler.ts';
import { clientFacts } from '../telemetry/client-facts.ts';

/** zstd first, as Kafka names them: lz4, gzip, snappy. */
const COMPRESSION_TYPES = [4, 3, 1, 2];

/** What the client is to push, and how often (KIP-714). Not there without a receiver. */
export const getTelemetrySubscriptions = handler({
  api: getTelemetrySubscriptionsApi,
  min: 0,
  max: 0,
  isOff: ({ telemetry }) => telemetry === undefined,
  handle(call, { clientInstanceId }) {
    const { telemetry, clock } = call.gateway;
    const found =
      telemetry?.subscription(clientInstanceId, clientFacts(call), clock.now()) ??
      ErrorCode.UNSUPPORTED_VERSION;
    if (typeof found === 'number') return call.reply(refusal(found));
    call.reply({
      ...refusal(ErrorCode.NONE),
      clientInstanceId: found.id,
      subscriptionId: found.subscriptionId,
      acceptedCompressionTypes: COMPRESSION_TYPES,
      pushIntervalMs: found.wanted.intervalMs,
      telemetryMaxBytes: telemetry?.maxBytes ?? 0,
      deltaTemporality: true,
      requestedMetrics: [...found.wanted.metrics],
    });
  },
});

function refusal(errorCode: number) {
  return {
    throttleTimeMs: 0,
    errorCode,
    clientInstanceId: ZERO_UUID,
    subscriptionId: 0,
    acceptedCompressionTypes: [],
    pushIntervalMs: 0,
    telemetryMaxBytes: 0,
    deltaTemporality: false,
    requestedMetrics: [],
  };
}
