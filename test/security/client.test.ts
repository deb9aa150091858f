import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/hosts/node/connect.ts';
import type { SaslOptions } from '../../src/client/connect.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { RawClient } from '../gateway/raw-client.ts';
import { makeCertificate } from '../support/certificate.ts';
import { AUTHORIZER, Secured } from './secured.ts';

/** Our own client, where brokers want to know who it is. */

let secured: Secured;
beforeAll(async () => {
  secured = await Secured.start({ httpPort: 0 });
  await secured.addUser('alice', 'p,=ä', ['SCRAM-SHA-256', 'SCRAM-SHA-512']);
});
afterAll(() => secured.close());

const alice = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', password = 'p,=ä'): SaslOptions => ({
  mechanism,
  username: 'alice',
  password,
});

describe.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('with %s', (mechanism) => {
  test.each(['kafka', 'ws'] as const)('it logs in over %s, and writes and reads', async (scheme) => {
    const port = scheme === 'ws' ? secured.broker.http?.port : secured.broker.kafka.port;
    const url = `${scheme}://127.0.0.1:${port}${scheme === 'ws' ? '/kafka' : ''}`;
    await using client = await connect(url, { sasl: alice(mechanism) });
    const topic = `${mechanism}-${scheme}`;
    await client.send(topic, { value: 'hello' });
    const seen: string[] = [];
    for await (const { value } of client.read(topic, { from: 'earliest', live: false }))
      seen.push(new TextDecoder().decode(value ?? undefined));
    expect(seen).toEqual(['hello']);
  });

  test('a wrong password is told at once, and not tried again', async () => {
    const connecting = connect(`kafka://${secured.address}`, { sasl: alice(mechanism, 'wrong') });
    await expect(connecting).rejects.toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false });
    expect(String(await connecting.catch((error: unknown) => error))).not.toContain('wrong');
  });
});

test('a token is asked for each connection', async () => {
  let asked = 0;
  const token = () => `not-a-token-${++asked}`;
  const connecting = connect(`kafka://${secured.address}`, { sasl: { mechanism: 'oauthbearer', token } });
  await expect(connecting).rejects.toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' });
  expect(asked).toBe(1);
});

test('where no login is wanted it says so', async () => {
  const { host, port } = secured.setup;
  const connecting = connect(`kafka://${host}:${port}`, { sasl: alice('plain') });
  await expect(connecting).rejects.toMatchObject({ code: 'ILLEGAL_SASL_STATE' });
});

test('where one is wanted and none is given it says so, whatever is asked first', async () => {
  const unknown = await connect(`kafka://${secured.address}`);
  onTestFinished(() => unknown.close());
  const asking = [
    () => unknown.admin.topics.list(),
    () => unknown.admin.groups.list(),
    () => unknown.send('t', { value: 'x' }),
  ];
  for (const ask of asking)
    await expect(ask()).rejects.toMatchObject({
      code: 'ILLEGAL_SASL_STATE',
      hint: expect.stringContaining('give the option sasl') as string,
    });
});

test('who cannot be told why is let go without an answer that would say nothing', async () => {
  const raw = await RawClient.connect(secured.broker.kafka);
  await expect(raw.send(metadataApi, 12, { topics: null })).rejects.toThrow('connection closed');
  const other = await RawClient.connect(secured.broker.kafka);
  const { errorCode } = await other.send(metadataApi, 13, { topics: null });
  expect(errorCode).toBe(ErrorCode.ILLEGAL_SASL_STATE);
  await other.closed;
});

test('a login is renewed before it ends, while records go on', async () => {
  // It is renewed a fifth of this before its end, which a busy machine must not miss.
  const short = await Secured.start({ settings: { 'connections.max.reauth.ms': '2000' } });
  onTestFinished(() => short.close());
  await short.addUser('alice', 'p', ['SCRAM-SHA-256']);
  const sasl = { mechanism: 'scram-sha-256' as const, username: 'alice', password: 'p' };
  await using client = await connect(`kafka://${short.address}`, { sasl });
  const logins = () => short.broker.gateway.counters.requestsByApi.get(17) ?? 0;
  let sent = 0;
  while (logins() < 3) {
    await client.send('renewed', { value: String(sent) });
    sent++;
  }
  expect(short.broker.gateway.counters.closedByReason.get('login_expired')).toBeUndefined();
  expect(sent).toBeGreaterThan(3);
});

test('a certificate says who it is', async () => {
  const server = makeCertificate('127.0.0.1');
  const bob = makeCertificate('bob');
  const tls = await Secured.start({
    protocol: 'SSL',
    settings: {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': server.cert,
      'ssl.keystore.key': server.key,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.certificates': bob.cert,
      'ssl.client.auth': 'required',
      'ssl.principal.mapping.rules': 'RULE:^CN=([a-z]+) .*$/$1/',
      'authorizer.class.name': AUTHORIZER,
      'super.users': 'User:bob',
    },
  });
  onTestFinished(() => tls.close());
  await using client = await connect(`kafkas://${tls.address}`, { tls: { ca: server.cert, ...bob } });
  await client.admin.topics.create('of-bob');
  expect(await client.admin.topics.list()).toMatchObject([{ name: 'of-bob' }]);
});
