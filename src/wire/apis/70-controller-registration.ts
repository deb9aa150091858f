import {
  api,
  array,
  bool,
  int16,
  int32,
  nullableString,
  string,
  uint16,
  uuid,
  type RequestOf,
  type ResponseOf,
} from '../schema.ts';

/** A controller that starts tells the active one its listeners and features (KIP-919). */
export const controllerRegistrationApi = api({
  name: 'ControllerRegistration',
  key: 70,
  versions: '0',
  flexible: '0+',
  request: {
    controllerId: int32('0+'),
    incarnationId: uuid('0+'),
    zkMigrationReady: bool('0+'),
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
  },
  response: { throttleTimeMs: int32('0+'), errorCode: int16('0+'), errorMessage: nullableString('0+') },
});

export type ControllerRegistrationRequest = RequestOf<typeof controllerRegistrationApi>;
export type ControllerRegistrationResponse = ResponseOf<typeof controllerRegistrationApi>;
