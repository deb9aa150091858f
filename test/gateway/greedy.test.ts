import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { saslAuthenticateApi } from '../../src/wire/apis/36-sasl-authenticate.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { type ClientStream, dial } from './doors.ts';
import { heldBytes } from './garbage.ts';
import { TestBroker, batch, fetchBody, produce } from './harness.ts';
import { until } from './until.ts';
import { Witness } from './witness.ts';

/** Clients that make a broker hold more than it should. What it holds is measured after a full collection. */

const MB = 1_000_000;

describe.each(['memory', 'files'])('on %s', (store) => {
  let server: TestBroker;
  let witness: Witness;
  let directory: string | undefined;
  let sockets: ClientStream[];

  beforeEach(async () => {
    sockets = [];
    directory = store === 'files' ? await mkdtemp(join(tmpdir(), 'milena-greedy-')) : undefined;
    server = await TestBroker.start({ directory, flush: 'never' });
    witness = await Witness.start(server);
  });
  afterEach(async () => {
    await witness.isWell();
    for (const socket of sockets) socket.destroy();
    await until('they are gone', () => server.connections === 1);
    await server.close();
    if (directory !== undefined) await rm(directory, { recursive: true });
  });

  /** What was written is no longer in memory then: reads wait for the disk, and many may be on their way. */
  async function restart(): Promise<void> {
    await server.close();
    server = await TestBroker.start({ directory, flush: 'never' });
    witness = await Witness.start(server, 'after-restart');
  }

  /** A connection that reads nothing of what comes. */
  async function deaf(): Promise<ClientStream> {
    const socket = await dial(server.broker);
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    socket.pause();
    return socket;
  }

  /** Bytes the broker's end has taken from the sockets so far and will no more, once they stay the same. */
  async function settled(write: () => void): Promise<void> {
    write();
    for (let still = 0, last = -1; still < 50;) {
      await witness.isWell();
      const requests = [...server.broker.gateway.counters.requestsByApi];
      const others = requests.reduce((sum, [key, count]) => (key <= 1 ? sum : sum + count), 0);
      const waiting = sockets.reduce((sum, socket) => sum + socket.sentBytes(), others);
      still = waiting === last ? still + 1 : 0;
      last = waiting;
    }
  }

  test('pipelines thousands of fetches and never reads', async () => {
    const client = await server.client();
    const topic = await server.topic(client);
    for (let i = 0; i < 8; i++) await produce(client, topic, batch([new Uint8Array(1_000_000)]));
    client.destroy();
    if (store === 'files') await restart();
    const wanted = { topic, partitionMaxBytes: 8 * MB };
    const request = encodeRequest(fetchApi, 12, { correlationId: 1, clientId: null }, fetchBody([wanted]));
    const before = heldBytes();
    const readers = [await deaf(), await deaf(), await deaf()];
    await settled(() => {
      for (const socket of readers) for (let i = 0; i < 2_000; i++) socket.write(request);
    });
    // 48 GB were asked for. Each may have what fits in flight, and one answer more.
    expect(heldBytes() - before).toBeLessThan(readers.length * (16 + 8 + 8) * MB);
  });

  test('pipelines thousands of metadata requests and never reads', async () => {
    const client = await server.client();
    await server.topic(client, { partitions: 1_000 });
    client.destroy();
    const request = encodeRequest(metadataApi, 12, { correlationId: 1, clientId: null }, { topics: null });
    const before = heldBytes();
    const socket = await deaf();
    await settled(() => {
      for (let i = 0; i < 20_000; i++) socket.write(request);
    });
    expect(heldBytes() - before).toBeLessThan(25 * MB);
  });

  test('reads at last, and gets its answers in order', async () => {
    const client = await server.client();
    const topic = await server.topic(client);
    await produce(client, topic, batch([new Uint8Array(500_000)]));
    client.socket.pause();
    const answers = Array.from({ length: 40 }, () => client.send(fetchApi, 12, fetchBody([{ topic }])));
    await witness.isWell();
    client.socket.resume();
    const sizes = (await Promise.all(answers)).map(
      (answer) => answer.responses[0]?.partitions[0]?.records?.length,
    );
    expect(new Set(sizes).size).toBe(1);
    expect(sizes[0]).toBeGreaterThan(500_000);
    client.destroy();
  });
});

test('small batches on files do not keep the large requests they came between', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'milena-greedy-'));
  const server = await TestBroker.start({ directory, flush: 'never' });
  const client = await server.client();
  const topic = await server.topic(client);
  const before = heldBytes();
  for (let i = 0; i < 60; i++) {
    await client.send(saslAuthenticateApi, 1, { authBytes: new Uint8Array(MB) });
    await produce(client, topic, batch(['small']));
  }
  expect(heldBytes() - before).toBeLessThan(5 * MB);
  await server.close();
  await rm(directory, { recursive: true });
});

describe('announcements', () => {
  test('100 MB, then a trickle: only what has come is held', async () => {
    const server = await TestBroker.start();
    const witness = await Witness.start(server);
    const before = heldBytes();
    const clients = await Promise.all(Array.from({ length: 20 }, () => server.client()));
    const announcement = Buffer.alloc(4);
    announcement.writeInt32BE(100 * MB);
    for (const client of clients) client.write(announcement);
    for (let i = 0; i < 50; i++) {
      for (const client of clients) client.write(new Uint8Array(100));
      await witness.isWell();
    }
    expect(heldBytes() - before).toBeLessThan(10 * MB);
    await server.close();
  });

  test('2 GiB, a hundred times: closed, and nothing is held', async () => {
    const server = await TestBroker.start();
    const witness = await Witness.start(server);
    const before = heldBytes();
    for (let i = 0; i < 100; i++) {
      const client = await server.client();
      client.write(new Uint8Array([0x7f, 0xff, 0xff, 0xff]));
      await client.closed;
    }
    expect(server.closedFor('not_kafka')).toBe(100);
    expect(heldBytes() - before).toBeLessThan(5 * MB);
    await witness.isWell();
    await server.close();
  });
});

test('a broker closes though a client reads nothing of what it asked for', async () => {
  const server = await TestBroker.start();
  const client = await server.client();
  const topic = await server.topic(client);
  for (let i = 0; i < 8; i++) await produce(client, topic, batch([new Uint8Array(1_000_000)]));
  client.socket.pause();
  const wanted = { topic, partitionMaxBytes: 8 * MB };
  const lost = client.send(fetchApi, 12, fetchBody([wanted])).catch((error: Error) => error.message);
  await server.broker.close();
  client.destroy();
  expect(await lost).toBe('connection closed');
});
