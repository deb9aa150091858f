import {
  api,
  array,
  bool,
  int16,
  int32,
  int8,
  string,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/** Which metrics a broker wants from a client, and how often (KIP-714). */
export const getTelemetrySubscriptionsApi = api({
  name: 'GetTelemetrySubscriptions',
  key: 71,
  versions: '0',
  flexible: '0+',
  request: { clientInstanceId: uuid('0+') },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    clientInstanceId: uuid('0+'),
    subscriptionId: int32('0+'),
    acceptedCompressionTypes: array('0+', int8('0+')),
    pushIntervalMs: int32('0+'),
    telemetryMaxBytes: int32('0+'),
    deltaTemporality: bool('0+'),
    requestedMetrics: array('0+', string('0+')),
  },
});

export type GetTelemetrySubscriptionsRequest = RequestOf<typeof getTelemetrySubscriptionsApi>;
export type GetTelemetrySubscriptionsResponse = ResponseOf<typeof getTelemetrySubscriptionsApi>;
