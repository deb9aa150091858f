import { expect, onTestFinished, test } from 'vitest';
import { Broker } from '../../src/hosts/node/broker.ts';
import type { Listener } from '../../src/hosts/node/listeners.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { RawClient } from './raw-client.ts';
import { until } from './until.ts';

/** A listener that is never full, so that whoever looks after the broker can always come in. */

const host = '127.0.0.1';
const plain = (name: string) => ({ name, protocol: 'PLAINTEXT' as const, host, port: 0 });
const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function start(settings: Record<string, string>): Promise<Broker> {
  const broker = await Broker.start({
    listeners: [plain('CLIENTS'), plain('INTERNAL')],
    settings: new Map(Object.entries({ 'max.connections': '2', ...settings })),
    log: silent,
  });
  onTestFinished(() => broker.close({ timeoutMs: 100 }));
  return broker;
}

async function comeIn(listener: Listener | undefined): Promise<RawClient> {
  const client = await RawClient.connect(listener as Listener);
  onTestFinished(() => client.destroy());
  return client;
}

const ask = (client: RawClient) => client.send(metadataApi, 12, { topics: [] });

test('lets in whoever comes, and the idlest of the others goes', async () => {
  const broker = await start({ 'inter.broker.listener.name': 'INTERNAL' });
  const [clients, internal] = broker.listeners;
  const [idlest, other] = [await comeIn(clients), await comeIn(clients)];
  await ask(idlest);
  const before = Date.now();
  await until('time has moved', () => Date.now() > before);
  await ask(other);
  await ask(await comeIn(internal));
  await idlest.closed;
  await ask(other);
  expect(broker.gateway.counters.closedByReason.get('too_many_connections')).toBe(1);
});

test('and none of its own goes for it', async () => {
  const broker = await start({ 'inter.broker.listener.name': 'INTERNAL' });
  const [, internal] = broker.listeners;
  const all = [await comeIn(internal), await comeIn(internal), await comeIn(internal)];
  for (const each of all) await ask(each);
  expect(broker.gateway.counters.closedByReason.get('too_many_connections')).toBeUndefined();
});

test('is, unless named, the first in plain text', async () => {
  const broker = await start({});
  const [clients, internal] = broker.listeners;
  const [idlest] = [await comeIn(internal), await comeIn(internal)];
  await ask(await comeIn(clients));
  await idlest.closed;
  expect(broker.gateway.counters.closedByReason.get('too_many_connections')).toBe(1);
});
