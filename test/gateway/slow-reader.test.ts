import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { type ClientStream, dial } from './doors.ts';
import { TestBroker, batch, batchesIn, fetchBody, fetchOne, produce } from './harness.ts';
import type { TopicName } from './session-client.ts';
import { until } from './until.ts';

const BATCH_BYTES = 20_000;
const BATCHES = 50;
const DEAF = 6;
/** Much less than one of them asks for. */
const limits = { unreadBytesMax: 1_000_000, connectionUnreadBytesMin: 50_000 };
/** A batch comes whole, however little is left. */
const OVERDRAFT_BYTES = (DEAF + 1) * (limits.connectionUnreadBytesMin + 2 * BATCH_BYTES);

describe.each(['memory', 'files'])('clients that never read, on %s', (store) => {
  let server: TestBroker;
  let topic: TopicName;
  let directory: string | undefined;
  let deaf: ClientStream[];

  beforeEach(async () => {
    deaf = [];
    directory = store === 'files' ? await mkdtemp(join(tmpdir(), 'milena-slow-')) : undefined;
    server = await TestBroker.start({ directory, flush: 'never', limits });
    const client = await server.client();
    topic = await server.topic(client);
    for (let i = 0; i < BATCHES; i++) await produce(client, topic, batch([new Uint8Array(BATCH_BYTES)]));
    if (directory === undefined) return;
    // Nothing of it is in memory then.
    await server.close();
    server = await TestBroker.start({ directory, flush: 'never', limits });
  });
  afterEach(async () => {
    for (const socket of deaf) socket.destroy();
    await server.close();
    if (directory !== undefined) await rm(directory, { recursive: true });
  });

  const heldBytes = () => server.broker.gateway.readCredit.heldBytes;
  const fetches = () => server.broker.gateway.counters.requestsByApi.get(fetchApi.key) ?? 0;

  async function connectDeaf(): Promise<void> {
    const socket = await dial(server.broker);
    deaf.push(socket);
    socket.on('error', () => socket.destroy());
    socket.pause();
    const wanted = fetchBody([{ topic, partitionMaxBytes: 1 << 30 }], { maxBytes: 1 << 30 });
    const request = encodeRequest(fetchApi, 12, { correlationId: 1, clientId: null }, wanted);
    for (let i = 0; i < 500; i++) socket.write(request);
  }

  test('are held within bounds, and one that reads beside them gets all there is', async () => {
    for (let i = 0; i < DEAF; i++) await connectDeaf();
    const reader = await server.client();
    let [held, still, begun] = [0, 0, -1];
    for (let fetchOffset = 0, reads = 0; still < 20; reads++) {
      expect(reads).toBeLessThan(20_000);
      const { records } = await fetchOne(reader, { topic, fetchOffset });
      const batches = batchesIn(records);
      expect(batches.length).toBeGreaterThan(0);
      const next = (batches.at(-1)?.baseOffset ?? -1) + 1;
      fetchOffset = next % BATCHES;
      held = Math.max(held, heldBytes());
      expect(heldBytes()).toBeLessThanOrEqual(limits.unreadBytesMax + OVERDRAFT_BYTES);
      // All of it is read again and again until the deaf ones get no further.
      if (fetchOffset === 0)
        [still, begun] = fetches() - reads === begun ? [still + 1, begun] : [0, fetches() - reads];
    }
    expect(begun).toBeLessThan(DEAF * 500);
    expect(held).toBeGreaterThan(limits.unreadBytesMax / 2);
    expect(heldBytes()).toBeGreaterThan(0);
    for (const socket of deaf.splice(0)) socket.destroy();
    await until('what they had is given back', () => heldBytes() === 0);
  });
});
