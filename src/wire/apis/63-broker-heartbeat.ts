import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  nullableArray,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * A broker tells the controller that it lives, and how far it has read; the answer may fence it (KIP-631). v1
 * names directories that failed (KIP-858), v2 those that are cordoned (KIP-1066).
 */
export const brokerHeartbeatApi = api({
  name: 'BrokerHeartbeat',
  key: 63,
  versions: '0-2',
  flexible: '0+',
  request: {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    currentMetadataOffset: int64('0+'),
    wantFence: bool('0+'),
    wantShutDown: bool('0+'),
    offlineLogDirs: array('1+', uuid('0+'), { tag: 0 }),
    cordonedLogDirs: nullableArray('2+', uuid('0+'), { default: null, tag: 1 }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    isCaughtUp: bool('0+', { default: false }),
    isFenced: bool('0+', { default: true }),
    shouldShutDown: bool('0+'),
  },
});

export type BrokerHeartbeatRequest = RequestOf<typeof brokerHeartbeatApi>;
export type BrokerHeartbeatResponse = ResponseOf<typeof brokerHeartbeatApi>;
