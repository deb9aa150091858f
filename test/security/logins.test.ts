import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { Admin } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { saslHandshakeApi } from '../../src/wire/apis/17-sasl-handshake.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { describeConfigsApi } from '../../src/wire/apis/32-describe-configs.ts';
import { saslAuthenticateApi } from '../../src/wire/apis/36-sasl-authenticate.ts';
import { virtualClock } from '../../src/hosts/node/testing.ts';
import { RawClient } from '../gateway/raw-client.ts';
import { until } from '../gateway/until.ts';
import { Secured } from './secured.ts';

const PASSWORD = 'correct horse = battery, staple';
const ISSUER = 'https://issuer.example';
const AUDIENCE = 'kafka';
const keys = await generateKeyPair('ES256');
const strangerKeys = await generateKeyPair('ES256');

let secured: Secured;
const jwks = createServer((_request, response) => {
  void exportJWK(keys.publicKey).then((key) =>
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ keys: [{ ...key, alg: 'ES256' }] })),
  );
});

beforeAll(async () => {
  await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
  secured = await Secured.start({
    settings: {
      'sasl.oauthbearer.jwks.endpoint.url': `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/keys`,
      'sasl.oauthbearer.expected.issuer': ISSUER,
      'sasl.oauthbearer.expected.audience': AUDIENCE,
      'ssl.keystore.key': 'a key that nobody sees',
    },
  });
  await secured.addUser('alice', PASSWORD, ['SCRAM-SHA-256', 'SCRAM-SHA-512']);
});
afterAll(async () => {
  await secured.close();
  jwks.close();
});

function tokenFor(
  claims: { sub?: string; exp?: string; iss?: string; aud?: string } = {},
  key = keys.privateKey,
) {
  const { exp = '1h', iss = ISSUER, aud = AUDIENCE, sub = 'alice' } = claims;
  const jwt = new SignJWT({}).setProtectedHeader({ alg: 'ES256' });
  return jwt.setSubject(sub).setIssuer(iss).setAudience(aud).setIssuedAt().setExpirationTime(exp).sign(key);
}

async function topicsBy(sasl: SASLOptions): Promise<string[]> {
  const brokers = [secured.address];
  const kafka = new Kafka({ brokers, sasl, ssl: false, logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  const admin = kafka.admin();
  onTestFinished(() => admin.disconnect());
  await admin.connect();
  return admin.listTopics();
}

describe('kafkajs logs in', () => {
  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('with %s', async (mechanism) => {
    expect(await topicsBy({ mechanism, username: 'alice', password: PASSWORD } as SASLOptions)).toEqual([]);
    const wrong = { mechanism, username: 'alice', password: `${PASSWORD}!` } as SASLOptions;
    await expect(topicsBy(wrong)).rejects.toThrow(/invalid credentials|Invalid username or password/i);
    const nobody = { mechanism, username: 'nobody', password: PASSWORD } as SASLOptions;
    await expect(topicsBy(nobody)).rejects.toThrow(/invalid credentials|Invalid username or password/i);
  });

  test('with a token', async () => {
    const value = await tokenFor();
    expect(
      await topicsBy({ mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value }) }),
    ).toEqual([]);
  });
});

describe('a token is refused', () => {
  const bad: [why: string, token: () => Promise<string> | string][] = [
    ['without a signature', () => unsigned('alice')],
    ['of another key', () => tokenFor({}, strangerKeys.privateKey)],
    ['of another issuer', () => tokenFor({ iss: 'https://other.example' })],
    ['for somebody else', () => tokenFor({ aud: 'other' })],
    ['that has expired', () => tokenFor({ exp: '-1h' })],
    ['that was signed with what is public', async () => signedWithPublicKey()],
    ['that is none', () => 'nonsense'],
  ];
  test.each(bad)('%s', async (_why, token) => {
    const value = await token();
    const oauthBearerProvider = async () => ({ value });
    // kafkajs does not read what it is told of a token, asks on, and is shown out.
    const topics = topicsBy({ mechanism: 'oauthbearer', oauthBearerProvider });
    await expect(topics).rejects.toThrow('Closed connection');
  });
});

function unsigned(sub: string): string {
  return new UnsecuredJWT({})
    .setSubject(sub)
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setExpirationTime('1h')
    .encode();
}

/** HS256 with the public key as the secret: who lets the token choose its algorithm believes it. */
async function signedWithPublicKey(): Promise<string> {
  const secret = new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)));
  const jwt = new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setSubject('alice').setIssuer(ISSUER);
  return jwt.setAudience(AUDIENCE).setExpirationTime('1h').sign(secret);
}

describe('@platformatic/kafka logs in', () => {
  test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)('with %s', async (mechanism) => {
    const login = (password: string) => {
      const sasl = { mechanism, username: 'alice', password };
      const admin = new Admin({ clientId: 'p', bootstrapBrokers: [secured.address], sasl, retries: 0 });
      onTestFinished(() => admin.close());
      return admin.listTopics();
    };
    expect(await login(PASSWORD)).toEqual([]);
    await expect(login('wrong')).rejects.toThrow(/fail/i);
  });

  test('with a token', async () => {
    const sasl = { mechanism: 'OAUTHBEARER' as const, token: await tokenFor() };
    const admin = new Admin({ clientId: 'p', bootstrapBrokers: [secured.address], sasl, retries: 0 });
    onTestFinished(() => admin.close());
    expect(await admin.listTopics()).toEqual([]);
  });
});

const utf8 = (text: string) => new TextEncoder().encode(text);
const plain = (user: string, password: string) => utf8(`\0${user}\0${password}`);

async function raw(): Promise<RawClient> {
  const client = await RawClient.connect(secured.broker.kafka);
  onTestFinished(() => client.destroy());
  return client;
}

describe('before somebody is known', () => {
  test('only versions and logins are answered; the rest is told so and closed', async () => {
    const client = await raw();
    expect(
      (await client.send(apiVersionsApi, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' }))
        .errorCode,
    ).toBe(0);
    expect(await client.send(metadataApi, 13, { topics: null })).toMatchObject({ errorCode: 34, topics: [] });
    await client.closed;
  });

  test('a mechanism that is not there is told which are', async () => {
    const client = await raw();
    expect(await client.send(saslHandshakeApi, 1, { mechanism: 'GSSAPI' })).toEqual({
      errorCode: 33,
      mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'],
    });
    await client.closed;
  });

  test('between the handshake and the last token nothing else may come', async () => {
    const client = await raw();
    await client.send(saslHandshakeApi, 1, { mechanism: 'PLAIN' });
    expect(await client.send(metadataApi, 13, { topics: null })).toMatchObject({ errorCode: 34 });
    await client.closed;
  });

  test('a token without a handshake is refused', async () => {
    const client = await raw();
    const answer = await client.send(saslAuthenticateApi, 2, { authBytes: plain('alice', PASSWORD) });
    expect(answer.errorCode).toBe(34);
    await client.closed;
  });

  test('a wrong password is told 58 a while later, and closed', async () => {
    const client = await raw();
    await client.send(saslHandshakeApi, 1, { mechanism: 'PLAIN' });
    const startedAt = performance.now();
    const answer = await client.send(saslAuthenticateApi, 2, { authBytes: plain('alice', 'wrong') });
    expect(answer).toMatchObject({
      errorCode: 58,
      errorMessage: 'Authentication failed: Invalid username or password',
    });
    expect(performance.now() - startedAt).toBeGreaterThan(15);
    await client.closed;
  });

  test('a request as long as only friends may send ends the connection', async () => {
    const client = await raw();
    client.write(Uint8Array.of(0, 16, 0, 0));
    client.write(new Uint8Array(600 * 1024));
    await client.closed;
    expect(secured.broker.gateway.counters.closedByReason.get('too_large')).toBe(1);
  });

  test('SaslHandshake v0 is followed by bare tokens', async () => {
    const client = await raw();
    await client.send(saslHandshakeApi, 0, { mechanism: 'PLAIN' });
    client.socket.removeAllListeners('data');
    const token = plain('alice', PASSWORD);
    const answered = new Promise<Buffer>((resolve) => client.socket.once('data', resolve));
    client.write(Uint8Array.of(0, 0, 0, token.length));
    client.write(token);
    expect([...(await answered)]).toEqual([0, 0, 0, 0]);
  });
});

describe('a session', () => {
  let short: Secured;
  const clock = virtualClock();
  beforeAll(async () => {
    short = await Secured.start({ clock, settings: { 'connections.max.reauth.ms': '2000' } });
    await short.addUser('alice', PASSWORD, ['SCRAM-SHA-256']);
    await short.addUser('bob', PASSWORD, ['SCRAM-SHA-256']);
  });
  afterAll(() => short.close());

  /** What is refused is told a while later. */
  async function whileTimePasses<T>(told: Promise<T>): Promise<T> {
    let isTold = false;
    void told.finally(() => (isTold = true));
    while (!isTold) await clock.advance(20);
    return told;
  }

  async function loggedIn(): Promise<RawClient> {
    const client = await RawClient.connect(short.broker.kafka);
    onTestFinished(() => client.destroy());
    expect(await login(client, 'alice')).toMatchObject({ errorCode: 0, sessionLifetimeMs: 2000 });
    return client;
  }

  async function login(client: RawClient, user: string) {
    await client.send(saslHandshakeApi, 1, { mechanism: 'PLAIN' });
    return client.send(saslAuthenticateApi, 1, { authBytes: plain(user, PASSWORD) });
  }

  test('is renewed by the same user on the same connection', async () => {
    const client = await loggedIn();
    expect(await login(client, 'alice')).toMatchObject({ errorCode: 0, sessionLifetimeMs: 2000 });
    expect((await client.send(metadataApi, 13, { topics: null })).errorCode).toBe(0);
  });

  test('is not taken over by another user', async () => {
    const client = await loggedIn();
    expect(await whileTimePasses(login(client, 'bob'))).toMatchObject({
      errorCode: 58,
      errorMessage: 'Cannot change principals during re-authentication',
    });
    await client.closed;
  });

  test('is not renewed with another mechanism', async () => {
    const client = await loggedIn();
    const again = client.send(saslHandshakeApi, 1, { mechanism: 'SCRAM-SHA-256' });
    expect((await whileTimePasses(again)).errorCode).toBe(34);
    await client.closed;
  });

  test('that has expired ends with the next request', async () => {
    const client = await loggedIn();
    await clock.advance(2_001);
    await expect(client.send(metadataApi, 13, { topics: null })).rejects.toThrow('connection closed');
    expect(short.broker.gateway.counters.closedByReason.get('login_expired')).toBe(1);
  });
});

test('nothing secret is told: not in logs, settings or answers', async () => {
  const client = await secured.rawSetup();
  const { results } = await client.send(describeConfigsApi, 4, {
    resources: [{ resourceType: 4, resourceName: '1', configurationKeys: null }],
  });
  const told = JSON.stringify(results);
  expect(told).toContain('ssl.keystore.key');
  expect(told).not.toContain('a key that nobody sees');
  await until('something is logged', () => secured.logged.length > 0);
  expect(secured.logged.join('\n')).not.toMatch(/correct horse|wrong|eyJ/);
});
