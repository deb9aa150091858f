import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  nullableString,
  string,
  uint16,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/**
 * A broker that starts tells the controller its listeners, rack, features and incarnation (KIP-631). v1 was
 * for the move from ZooKeeper (KIP-866), v2 has log directories (KIP-858), v3 the epoch of its life before
 * (KIP-966), v4 allows a minimum of 0 for features.
 */
export const brokerRegistrationApi = api({
  name: 'BrokerRegistration',
  key: 62,
  versions: '0-4',
  flexible: '0+',
  request: {
    brokerId: int32('0+'),
    clusterId: string('0+'),
    incarnationId: uuid('0+'),
    listeners: array('0+', {
      name: string('0+'),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: array('0+', {
      name: string('0+'),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
    rack: nullableString('0+'),
    isMigratingZkBroker: bool('1+', { default: false }),
    logDirs: array('2+', uuid('0+')),
    previousBrokerEpoch: int64('3+', { default: -1 }),
  },
  response: {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
  },
});

export type BrokerRegistrationRequest = RequestOf<typeof brokerRegistrationApi>;
export type BrokerRegistrationResponse = ResponseOf<typeof brokerRegistrationApi>;
