import type { TLSSocket } from 'node:tls';
import { ANONYMOUS, type PrincipalMapping } from '../../../security/principals.ts';

/**
 * Who a client is by its certificate; undefined when it must not come in: nobody we trust has signed it, or no rule is
 * for its name. Without a certificate it is ANONYMOUS.
 */
export function certificatePrincipal(socket: TLSSocket, mapping: PrincipalMapping): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return ANONYMOUS;
  return socket.authorized ? mapping.principalOf(distinguishedName(certificate.subject)) : undefined;
}

/** As RFC 2253 writes it, the last part first: `CN=alice,OU=shop,O=Example`. @param subject a line a part. */
function distinguishedName(subject: string): string {
  return subject.split('\n').toReversed().join(',');
}
