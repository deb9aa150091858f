import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { Tickets } from '../../src/hosts/durable-object/tickets.ts';
import { type WebCrypto, webCrypto } from '../../src/sasl/web-crypto.ts';
import type { Scope } from '../../src/security/scope.ts';

const SECRET = 'a secret of at least 32 characters';
const cryptography = webCrypto(globalThis.crypto as unknown as WebCrypto);
const NOW_MS = 1_700_000_000_000;

function tickets({ secret = SECRET, nowMs = NOW_MS } = {}): Tickets {
  return new Tickets(secret, { cryptography, now: () => nowMs });
}

const WISH = { principal: 'User:page', lifetimeMs: 60_000 };

describe('tickets', () => {
  test('say who somebody is and for how long, and what for', async () => {
    const topics = [{ topic: 'chat-*', operations: ['read'] as const }];
    const { ticket, expiresAtMs } = await tickets().issue({ ...WISH, topics });
    const { scope, ...who } = await tickets().verify(ticket);
    expect(who).toEqual({ principal: 'User:page', expiresAtMs });
    expect((scope as Scope).topics).toEqual(topics);
    expect((await tickets().verify((await tickets().issue(WISH)).ticket)).scope).toBeUndefined();
  });

  test('those of any library for JWT are taken', async () => {
    const jwt = new SignJWT({}).setProtectedHeader({ alg: 'HS256', typ: 'milena-ticket' });
    const signed = jwt.setSubject('User:x').setExpirationTime(NOW_MS / 1_000 + 60);
    expect((await tickets().verify(await signed.sign(new TextEncoder().encode(SECRET)))).principal).toBe(
      'User:x',
    );
  });

  test.each([
    [
      'another secret',
      'not signed here',
      async () => (await tickets({ secret: 'x'.repeat(40) }).issue(WISH)).ticket,
    ],
    ['too old', 'has expired', async () => (await tickets({ nowMs: NOW_MS - 120_000 }).issue(WISH)).ticket],
    ['nobody', 'names nobody', async () => (await tickets().issue({ ...WISH, principal: 'page' })).ticket],
    ['no ticket', 'JSON', async () => 'Zm9v.YmFy.YmF6'],
    ['nothing', 'JSON', async () => ''],
    [
      'unsigned',
      'is no ticket',
      async () => `${btoa('{"alg":"none","typ":"milena-ticket"}').replaceAll('=', '')}.e30.`,
    ],
    [
      'other words under the same signature',
      'not signed here',
      async () => {
        const [header, , signature] = (await tickets().issue(WISH)).ticket.split('.');
        const claims = btoa(JSON.stringify({ sub: 'User:admin', exp: NOW_MS }));
        return [header, claims.replaceAll('=', ''), signature].join('.');
      },
    ],
  ])('refused: %s', async (_, why, ticket) => {
    await expect(tickets().verify(await ticket())).rejects.toThrow(why);
  });

  test('a secret that can be guessed is none', () => {
    expect(() => tickets({ secret: 'short' })).toThrow('at least 32');
  });
});
