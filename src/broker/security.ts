import type { Logins } from '../gateway/login.ts';
import { brokerConfigNumber, brokerConfigValue, type ConfigLayers } from '../metadata/configs/effective.ts';
import { listItems } from '../metadata/configs/validate.ts';
import type { MetadataImage } from '../metadata/image.ts';
import type { Cryptography } from '../ports/cryptography.ts';
import type { VerifyToken } from '../sasl/oauth-bearer-server.ts';
import { SaslServers } from '../sasl/server.ts';
import { Authorizer } from '../security/authorizer.ts';
import { principalsIn } from '../security/principals.ts';

/** Undefined without authorizer.class.name: all may all. There is one authoriser, whatever the name. */
export function authorizerOf(
  { acls }: MetadataImage,
  settings: ReadonlyMap<string, string>,
): Authorizer | undefined {
  if ((settings.get('authorizer.class.name') ?? '') === '') return undefined;
  return new Authorizer({
    acls,
    superUsers: principalsIn(settings.get('super.users') ?? ''),
    allowIfNoAclFound: settings.get('allow.everyone.if.no.acl.found') === 'true',
  });
}

/** How clients say who they are, where a listener wants to know. */
export function loginsOf(
  {
    cryptography,
    verifyToken,
  }: { cryptography?: Cryptography | undefined; verifyToken?: VerifyToken | undefined },
  layers: ConfigLayers,
): Logins | undefined {
  if (cryptography === undefined) return undefined;
  const { scramUsers } = layers.image;
  const enabled = listItems(brokerConfigValue(layers, 'sasl.enabled.mechanisms') ?? '');
  const credential = (user: string, mechanism: number) => scramUsers.credential(user, mechanism);
  return {
    sasl: new SaslServers({ cryptography, verifyToken, credential, enabled }),
    refusalDelayMs: brokerConfigNumber(layers, 'connection.failed.authentication.delay.ms'),
    requestMaxBytes: brokerConfigNumber(layers, 'sasl.server.max.receive.size'),
    maxReauthMs: brokerConfigNumber(layers, 'connections.max.reauth.ms'),
  };
}
