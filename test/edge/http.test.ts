import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/hosts/node/connect.ts';
import { ticketsOf } from '../../src/hosts/durable-object/tickets.ts';
import { text } from '../clients/fixture.ts';
import { useEdge } from './place.ts';

const SECRET = 'the secret of this test, long enough';

describe('what the Worker answers over HTTP', () => {
  const place = useEdge();
  const at = (path: string) => `http://${place.address}${path}`;
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(at(path), init);
    return { status: response.status, text: await response.text() };
  };

  test('alive, ready, and not found', async () => {
    expect(await ask('/livez')).toEqual({ status: 200, text: 'ok\n' });
    expect(await ask('/readyz')).toEqual({ status: 200, text: 'ok\n' });
    expect((await ask('/nothing')).status).toBe(404);
    expect((await ask('/kafka')).status).toBe(426);
  });

  test('a record is posted, and read', async () => {
    const client = await connect(place.url);
    onTestFinished(() => client.close());
    const topic = place.name('posted');
    await client.admin.topics.create(topic, { partitions: 3 });
    const posted = await ask(`/topics/${topic}?partition=2&key=k`, { method: 'POST', body: 'hello' });
    expect([posted.status, JSON.parse(posted.text)]).toEqual([200, { topic, partition: 2, offset: 0 }]);
    for await (const { key, value } of client.read(topic, { live: false }))
      expect([text(key), text(value)]).toEqual(['k', 'hello']);
    expect(JSON.parse((await ask('/topics/nowhere', { method: 'POST', body: 'x' })).text)).toMatchObject({
      code: expect.stringContaining('UNKNOWN_TOPIC') as string,
    });
    expect((await ask(`/topics/${topic}`, { method: 'POST', body: 'x'.repeat(1_100_000) })).status).toBe(413);
    expect((await ask(`/topics/${topic}?partition=x`, { method: 'POST', body: 'x' })).status).toBe(400);
    expect((await ask(`/topics/${topic}`)).status).toBe(405);
  });

  test('it counts', async () => {
    const client = await connect(place.url);
    await client.admin.topics.list();
    await client.close();
    const { text: page } = await ask('/metrics');
    expect(page).toMatch(/^milena_requests_total\{api="Metadata"\} [1-9]/m);
    expect(page).toMatch(/^# TYPE milena_connections gauge$/m);
  });

  test('a page of somebody else is turned away', async () => {
    const headers = { origin: 'https://elsewhere.example' };
    expect((await ask('/topics/x', { method: 'POST', body: 'x', headers })).status).toBe(403);
  });
});

describe('where there is a secret', () => {
  const place = useEdge({}, { MILENA_SECRET: SECRET });
  const ticketFor = async (topics?: { topic: string; operations: ('read' | 'write')[] }[]) =>
    (await ticketsOf(SECRET).issue({ principal: 'User:page', topics, lifetimeMs: 60_000 })).ticket;

  test('nobody comes in with a bad ticket, and no object hears of it', async () => {
    const bad = `${await ticketFor()}x`;
    const response = await fetch(`http://${place.address}/kafka?ticket=${bad}`, {
      headers: { upgrade: 'websocket', connection: 'upgrade' },
    }).catch(() => undefined);
    expect(response?.status ?? 401).toBe(401);
    await expect(connect(`${place.url}?ticket=${bad}`, { retryForMs: 500 })).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
    });
    expect(await place.objects()).toEqual([]);
  });

  test('a ticket opens the door, and gives what it is for', async () => {
    const owner = await connect(`${place.url}?ticket=${await ticketFor()}`);
    onTestFinished(() => owner.close());
    await owner.admin.topics.create('chat-1');
    await owner.admin.topics.create('other');
    const ticket = await ticketFor([{ topic: 'chat-*', operations: ['write'] }]);
    const page = await connect(`${place.url}?ticket=${ticket}`);
    onTestFinished(() => page.close());
    await page.send('chat-1', { value: 'hello' });
    await expect(page.send('other', { value: 'hello' })).rejects.toMatchObject({
      code: 'TOPIC_AUTHORIZATION_FAILED',
    });
    const post = (topic: string) =>
      fetch(`http://${place.address}/topics/${topic}?ticket=${ticket}`, { method: 'POST', body: 'x' });
    expect((await post('chat-1')).status).toBe(200);
    expect((await post('other')).status).toBe(403);
    const nobody = await fetch(`http://${place.address}/topics/chat-1`, { method: 'POST', body: 'x' });
    expect(nobody.status).toBe(401);
  });

  test('Kafka clients log in with it, as OAUTHBEARER', async () => {
    const token = await ticketFor();
    const client = await connect(place.url, { sasl: { mechanism: 'oauthbearer', token: () => token } });
    onTestFinished(() => client.close());
    expect((await client.admin.cluster.describe()).brokers).toHaveLength(1);
    await client.admin.topics.create('closed');
    const stranger = await connect(place.url, { retryForMs: 500 });
    onTestFinished(() => stranger.close());
    await expect(stranger.send('closed', { value: 'x' })).rejects.toBeInstanceOf(Error);
    expect(await client.send('closed', { value: 'mine' })).toMatchObject({ offset: 0 });
  });
});
