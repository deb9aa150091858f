import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Admin } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';
import { connect } from '../../src/hosts/node/connect.ts';
import { Broker } from '../../src/hosts/node/broker.ts';
import { AclOperation as Op, AclResource } from '../../src/security/acl.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { describeAclsApi } from '../../src/wire/apis/29-describe-acls.ts';
import { RawClient } from '../gateway/raw-client.ts';
import { makeCertificate } from '../support/certificate.ts';
import { AUTHORIZER, Secured } from './secured.ts';

const server = makeCertificate('127.0.0.1');
const alice = makeCertificate('alice');
const stranger = makeCertificate('alice');
const pem = {
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.certificate.chain': server.cert,
  'ssl.keystore.key': server.key,
};
const trust = { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': alice.cert };

function kafkajsAdmin(address: string, ssl: object, sasl?: object) {
  const kafka = new Kafka({
    brokers: [address],
    ssl: { ca: [server.cert], ...ssl },
    ...(sasl && { sasl: sasl as never }),
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  onTestFinished(() => admin.disconnect());
  return admin;
}

describe('TLS', () => {
  let secured: Secured;
  beforeAll(async () => {
    secured = await Secured.start({ protocol: 'SSL', settings: pem, httpPort: 0 });
  });
  afterAll(() => secured.close());

  test('kafkajs, @platformatic/kafka and our own client speak it', async () => {
    const admin = kafkajsAdmin(secured.address, {});
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'over-tls' }] });
    const tls = { ca: server.cert };
    const other = new Admin({ clientId: 'p', bootstrapBrokers: [secured.address], tls, retries: 0 });
    onTestFinished(() => other.close());
    expect(await other.listTopics()).toEqual(['over-tls']);
    await using client = await connect(`kafkas://${secured.address}`, { tls });
    const big = 'x'.repeat(300_000);
    await client.send('over-tls', { value: big });
    const read = client.read('over-tls', { from: 'earliest', to: 'latest' });
    for await (const { value } of read) expect(new TextDecoder().decode(value ?? undefined)).toBe(big);
  });

  test('who speaks plainly is not understood', async () => {
    const client = await RawClient.connect(secured.broker.kafka);
    client.post(apiVersionsApi, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' });
    await client.closed;
    expect(secured.broker.notReady()).toBeUndefined();
  });

  test('versions that are too old are refused', async () => {
    const { host, port } = secured.broker.kafka;
    const socket = connectTls({ host, port, ca: server.cert, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toMatch(/protocol|version/i);
  });

  test('so does the HTTP port, and WebSockets', async () => {
    const port = secured.broker.http?.port ?? 0;
    const client = await overWebSocket(port, {});
    expect((await client.send(metadataApi, 12, { topics: null })).errorCode).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow('fetch failed');
  });
});

async function overWebSocket(port: number, tls: object): Promise<RawClient> {
  const webSocket = new WebSocket(`wss://127.0.0.1:${port}/kafka`, 'milena.kafka.v1', {
    ca: server.cert,
    ...tls,
  });
  const stream = createWebSocketStream(webSocket);
  stream.on('error', () => stream.destroy());
  onTestFinished(() => void stream.destroy());
  await once(webSocket, 'open');
  return new RawClient(
    Object.assign(stream, { resetAndDestroy: () => stream.destroy(), sentBytes: () => 0 }),
  );
}

describe('certificates of clients', () => {
  let secured: Secured;
  beforeAll(async () => {
    secured = await Secured.start({
      protocol: 'SSL',
      httpPort: 0,
      settings: {
        ...pem,
        ...trust,
        'ssl.client.auth': 'required',
        'ssl.principal.mapping.rules': 'RULE:^CN=([a-z]+) .*$/$1/,DEFAULT',
        'authorizer.class.name': AUTHORIZER,
        'super.users': 'User:ANONYMOUS',
      },
    });
    await secured.allow({
      resourceType: AclResource.TOPIC,
      resourceName: 'of-alice',
      principal: 'User:alice',
      operation: Op.ALL,
    });
  });
  afterAll(() => secured.close());

  test('say who they are, by the rules for their names', async () => {
    const admin = kafkajsAdmin(secured.address, alice);
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'of-alice' }] });
    expect(await admin.listTopics()).toEqual(['of-alice']);
    const refused = admin.createTopics({ topics: [{ topic: 'of-bob' }] });
    await expect(refused).rejects.toMatchObject({ errors: [{ type: 'TOPIC_AUTHORIZATION_FAILED' }] });
  });

  test('are needed, and one that somebody else has signed does not do', async () => {
    await expect(kafkajsAdmin(secured.address, {}).connect()).rejects.toThrow(/Connection error|closed/i);
    await expect(kafkajsAdmin(secured.address, stranger).connect()).rejects.toThrow(
      /Connection error|closed/i,
    );
  });

  test('say so over WebSocket too', async () => {
    const port = secured.broker.http?.port ?? 0;
    const client = await overWebSocket(port, alice);
    const filter = { resourceNameFilter: null, principalFilter: null, hostFilter: null };
    const numbers = { resourceTypeFilter: 1, patternTypeFilter: 1, operation: 1, permissionType: 1 };
    expect((await client.send(describeAclsApi, 3, { ...filter, ...numbers })).errorCode).toBe(31);
    await expect(overWebSocket(port, stranger)).rejects.toThrow(/hang up|ECONNRESET|alert/);
  });
});

describe('certificates that are only asked for', () => {
  let secured: Secured;
  beforeAll(async () => {
    secured = await Secured.start({
      protocol: 'SSL',
      settings: { ...pem, ...trust, 'ssl.client.auth': 'requested' },
    });
  });
  afterAll(() => secured.close());

  test('may be missing, but not be a stranger’s', async () => {
    const admin = kafkajsAdmin(secured.address, {});
    await admin.connect();
    expect(await admin.listTopics()).toEqual([]);
    await expect(kafkajsAdmin(secured.address, stranger).connect()).rejects.toThrow(
      /Connection error|closed/i,
    );
  });
});

test('SASL over TLS, with keys in files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'milena-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'server.pem');
  await writeFile(file, `${server.key}\n${server.cert}`);
  const secured = await Secured.start({
    protocol: 'SASL_SSL',
    settings: { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': file },
  });
  onTestFinished(() => secured.close());
  await secured.addUser('alice', 'p', ['SCRAM-SHA-512']);
  const login = (password: string) =>
    kafkajsAdmin(secured.address, {}, { mechanism: 'scram-sha-512', username: 'alice', password });
  const admin = login('p');
  await admin.connect();
  expect(await admin.listTopics()).toEqual([]);
  await expect(login('q').connect()).rejects.toThrow(/invalid credentials/);
});

describe('what cannot be is refused before anybody comes in', () => {
  const listeners = [{ name: 'A', protocol: 'SASL_SSL' as const, host: '127.0.0.1', port: 0 }];
  const good = { ...pem, 'sasl.enabled.mechanisms': 'PLAIN' };
  test.each([
    [
      'no key',
      { 'ssl.keystore.key': undefined },
      'TLS needs ssl.keystore.certificate.chain and ssl.keystore.key',
    ],
    ['another key', { 'ssl.keystore.key': stranger.key }, 'the certificate and its key cannot be used'],
    ['a store of Java', { 'ssl.keystore.type': 'JKS' }, 'only PEM is read here'],
    ['no mechanism', { 'sasl.enabled.mechanisms': undefined }, 'how do clients log in?'],
    ['Kerberos', { 'sasl.enabled.mechanisms': 'GSSAPI' }, 'GSSAPI is not served'],
    ['another authoriser', { 'authorizer.class.name': 'com.example.Mine' }, 'the one there is'],
    ['no principal', { 'super.users': 'admin' }, '"admin" is no principal'],
    ['SSLv3', { 'ssl.enabled.protocols': 'SSLv3' }, 'TLSv1.2 and TLSv1.3 are spoken here'],
    ['keys from nowhere', { 'sasl.oauthbearer.jwks.endpoint.url': 'keys.json' }, 'address of a JWKS'],
  ])('%s', async (_, change, why) => {
    const settings = Object.entries({ ...good, ...change }).filter(([, value]) => value !== undefined);
    const started = Broker.start({ listeners, settings: new Map(settings as [string, string][]) });
    await expect(started).rejects.toThrow(why);
    const said = await started.then(() => '', String);
    expect(said).not.toContain(stranger.key.slice(40, 80));
  });
});
