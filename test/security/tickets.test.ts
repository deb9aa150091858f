import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { connect } from '../../src/hosts/node/connect.ts';
import { virtualClock } from '../../src/hosts/node/testing.ts';
import { connect as connectPage } from '../../src/web/index.ts';
import { AclOperation as Op, AclResource } from '../../src/security/acl.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { saslHandshakeApi } from '../../src/wire/apis/17-sasl-handshake.ts';
import { saslAuthenticateApi } from '../../src/wire/apis/36-sasl-authenticate.ts';
import { RawClient } from '../gateway/raw-client.ts';
import { AUTHORIZER, Secured } from './secured.ts';

let secured: Secured;
const APP = 'https://app.example.com';

beforeAll(async () => {
  secured = await Secured.start({
    httpPort: 0,
    // The HTTP port of these tests is not encrypted.
    allowedOrigins: [APP],
    settings: { 'authorizer.class.name': AUTHORIZER, 'super.users': 'User:ANONYMOUS' },
  });
  await secured.addUser('alice', 'p', ['SCRAM-SHA-512']);
  const all = { principal: 'User:alice', operation: Op.ALL };
  await secured.allow({
    ...all,
    resourceType: AclResource.TOPIC,
    resourceName: 'orders',
    resourcePatternType: 4,
  });
  await newTopic(secured, 'orders');
  await newTopic(secured, 'others');
  await secured.allow({ ...all, resourceType: AclResource.GROUP, resourceName: '*' });
});
afterAll(() => secured.close());

async function newTopic({ setup }: Secured, name: string): Promise<void> {
  await using client = await connect(`kafka://${setup.host}:${setup.port}`);
  await client.admin.topics.create(name);
}

const http = () => `http://127.0.0.1:${secured.broker.http?.port}`;
const ws = () => `ws://127.0.0.1:${secured.broker.http?.port}/kafka`;
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

function ask(body: unknown, headers: Record<string, string> = { authorization: basic('alice', 'p') }) {
  return fetch(`${http()}/ticket`, { method: 'POST', body: JSON.stringify(body), headers });
}

async function ticketFor(topics: object[], more: object = {}): Promise<string> {
  const answer = await ask({ topics, ...more });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { ticket: string }).ticket;
}

const reads = { topic: 'orders', operations: ['read'] };
const both = { topic: 'orders*', operations: ['read', 'write'] };
const withTicket = (token: string) => connect(ws(), { sasl: { mechanism: 'oauthbearer', token } });

describe('a ticket', () => {
  test('lets a page write and read what it is for', async () => {
    const token = await ticketFor([both]);
    await using page = connectPage(ws(), { token: async () => token });
    const { offset } = await page.publish('orders', { key: 'a', value: { eur: 5 } });
    expect(offset).toBe(0);
    for await (const { value } of page.subscribe('orders', { from: 'earliest' })) {
      expect(JSON.parse(new TextDecoder().decode(value ?? undefined))).toEqual({ eur: 5 });
      break;
    }
  });

  test('is good for no more than it says, whatever its owner may', async () => {
    await using client = await withTicket(await ticketFor([reads]));
    const refusal = { code: 'TOPIC_AUTHORIZATION_FAILED' };
    await expect(client.send('orders', { value: 'x' })).rejects.toMatchObject({
      code: expect.stringMatching(/AUTHORIZATION_FAILED/) as string,
    });
    await expect(client.admin.topics.describe(['orders-2'])).rejects.toMatchObject(refusal);
    await expect(client.admin.acls.list()).rejects.toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED' });
    expect((await client.admin.topics.list()).map(({ name }) => name)).toEqual(['orders']);
  });

  test('is good for no more than its owner may, whatever it says', async () => {
    await using client = await withTicket(await ticketFor([{ topic: '*', operations: ['read', 'write'] }]));
    await expect(client.send('others', { value: 'x' })).rejects.toMatchObject({
      code: 'TOPIC_AUTHORIZATION_FAILED',
    });
    await client.send('orders', { value: 'x' });
  });

  test('is not good for another ticket', async () => {
    const token = await ticketFor([both]);
    expect((await ask({ topics: [both] }, { authorization: `Bearer ${token}` })).status).toBe(401);
  });

  test('of another node, or a changed one, is none', async () => {
    const token = await ticketFor([reads]);
    const other = await Secured.start({ httpPort: 0 });
    onTestFinished(() => other.close());
    const [head = '', , signature = ''] = token.split('.');
    const claims = { sub: 'User:root', exp: 4_000_000_000, topics: [both] };
    const forged = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    await expect(withTicket(forged)).rejects.toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' });
    const elsewhere = connect(`kafka://${other.address}`, { sasl: { mechanism: 'oauthbearer', token } });
    await expect(elsewhere).rejects.toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' });
  });
});

test('a ticket ends, and so does what came in with it', async () => {
  const clock = virtualClock();
  const short = await Secured.start({ httpPort: 0, ticketLifetimeMs: 10_000, clock });
  onTestFinished(() => short.close());
  await short.addUser('alice', 'p');
  await newTopic(short, 'orders');
  const answer = await fetch(`http://127.0.0.1:${short.broker.http?.port}/ticket`, {
    method: 'POST',
    headers: { authorization: basic('alice', 'p') },
    body: JSON.stringify({ topics: [both], lifetimeMs: 3_600_000 }),
  });
  const { ticket, expiresAtMs } = (await answer.json()) as { ticket: string; expiresAtMs: number };
  expect(expiresAtMs - clock.now()).toBeLessThanOrEqual(11_000);
  const client = await RawClient.connect(short.broker.kafka);
  onTestFinished(() => client.destroy());
  await client.send(saslHandshakeApi, 1, { mechanism: 'OAUTHBEARER' });
  const authBytes = new TextEncoder().encode(`n,,\u0001auth=Bearer ${ticket}\u0001\u0001`);
  const known = await client.send(saslAuthenticateApi, 2, { authBytes });
  expect(known).toMatchObject({ errorCode: 0, sessionLifetimeMs: expiresAtMs - clock.now() });
  expect((await client.send(metadataApi, 12, { topics: null })).topics).toMatchObject([{ name: 'orders' }]);
  await clock.advance(11_001);
  await expect(client.send(metadataApi, 12, { topics: null })).rejects.toThrow('connection closed');
});

describe('no ticket is given', () => {
  test.each([
    ['to nobody', {}, 401],
    ['for a wrong password', { authorization: basic('alice', 'q') }, 401],
    ['for a token that is none', { authorization: 'Bearer nonsense' }, 401],
    [
      'to a page of another origin',
      { authorization: basic('alice', 'p'), origin: 'https://evil.example' },
      403,
    ],
  ])('%s', async (_, headers, status) => {
    const answer = await ask({ topics: [reads] }, headers as Record<string, string>);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(await answer.text()).not.toContain('eyJ');
  });

  test.each([
    ['no topics', {}],
    ['an empty list', { topics: [] }],
    ['no operations', { topics: [{ topic: 'a', operations: [] }] }],
    ['an operation that is none', { topics: [{ topic: 'a', operations: ['delete'] }] }],
    ['a name that is none', { topics: [{ topic: 'a/b', operations: ['read'] }] }],
    ['no time', { topics: [reads], lifetimeMs: 0 }],
  ])('for %s', async (_, body) => {
    expect((await ask(body)).status).toBe(400);
  });
});

test('a page that is allowed may ask for one itself', async () => {
  const preflight = await fetch(`${http()}/ticket`, { method: 'OPTIONS', headers: { origin: APP } });
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, APP]);
  const answer = await ask({ topics: [reads] }, { authorization: basic('alice', 'p'), origin: APP });
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, APP]);
});

test('a WebSocket without a login is told so', async () => {
  const webSocket = new WebSocket(ws(), 'milena.kafka.v1');
  const closed = new Promise<string>((resolve) =>
    webSocket.on('close', (code, why) => resolve(`${code} ${why.toString()}`)),
  );
  webSocket.on('open', () =>
    webSocket.send(Uint8Array.of(0, 0, 0, 12, 0, 3, 0, 0, 0, 0, 0, 1, 255, 255, 0, 0)),
  );
  expect(await closed).toBe('1008 login_missing');
});
