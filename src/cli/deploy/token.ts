import { createHmac } from 'node:crypto';

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A ticket that the Worker takes (`docs/how-to/edge.md`): a JWT, signed with its secret, good for all there is. */
export function ticketFor(
  secret: string,
  { principal, expiresAtMs }: { principal: string; expiresAtMs: number },
) {
  const claims = { sub: principal, exp: Math.floor(expiresAtMs / 1_000) };
  const signed = `${encoded({ alg: 'HS256', typ: 'milena-ticket' })}.${encoded(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
