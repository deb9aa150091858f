import type { Socket } from 'node:net';
import { type TlsOptions, TLSSocket } from 'node:tls';
import { PrincipalMapping } from '../../../security/principals.ts';
import { certificatePrincipal } from './certificate-principal.ts';
import { clientAuthOf, tlsOptionsOf } from './tls-settings.ts';

/** What a listener speaks, in Kafka's words. */
export const SECURITY_PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
/** Its number in a broker's registration is its place. */
export type SecurityProtocol = (typeof SECURITY_PROTOCOLS)[number];

export function usesTls(protocol: SecurityProtocol): boolean {
  return protocol.endsWith('SSL');
}

/** How clients come in through one listener. */
export interface Door {
  /** Undefined: nothing is encrypted. */
  tls: TlsOptions | undefined;
  wantsLogin: boolean;
  /** Who a socket is as far as its certificate says so; false must not come in. */
  principalOf(socket: Socket): string | undefined | false;
}

/** @throws Error for people, where the settings of TLS do not do. */
export function doorOf(protocol: SecurityProtocol, settings: ReadonlyMap<string, string>): Door {
  const wantsLogin = protocol.startsWith('SASL');
  if (!usesTls(protocol)) return { tls: undefined, wantsLogin, principalOf: () => undefined };
  const mapping = new PrincipalMapping(settings.get('ssl.principal.mapping.rules') ?? 'DEFAULT');
  // Whoever logs in need not show a certificate: Kafka's rule too.
  const clientAuth = wantsLogin ? 'none' : clientAuthOf(settings);
  const asks = { requestCert: clientAuth !== 'none', rejectUnauthorized: clientAuth === 'required' };
  return {
    tls: { ...tlsOptionsOf(settings), ...asks },
    wantsLogin,
    principalOf(socket) {
      if (wantsLogin || !(socket instanceof TLSSocket)) return undefined;
      return certificatePrincipal(socket, mapping) ?? false;
    },
  };
}
