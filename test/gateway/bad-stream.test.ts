import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { HANDLERS } from '../../src/gateway/handlers/index.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { inRange } from '../../src/wire/schema.ts';
import { dial } from './doors.ts';
import { TestBroker } from './harness.ts';
import { until } from './until.ts';
import { Witness } from './witness.ts';

let server: TestBroker;
let witness: Witness;
let quietCount: number;
beforeAll(async () => {
  server = await TestBroker.start();
  witness = await Witness.start(server);
  quietCount = server.connections;
});
afterEach(undisturbed);
afterAll(() => server.close());

/** The well-behaved client goes on, and the others are forgotten: how many connections are left. */
async function undisturbed(): Promise<number> {
  await witness.isWell();
  await until('the connections are gone', () => server.connections <= quietCount);
  return server.connections;
}

const METADATA = encodeRequest(metadataApi, 12, { correlationId: 1, clientId: 'x' }, { topics: null });

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function framed(...parts: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return Buffer.concat([int32(body.length), body]);
}

/** Sends bytes on a connection of their own and waits until the broker closes it. */
async function closedAfter(...writes: (Uint8Array | string)[]): Promise<void> {
  const client = await server.client();
  for (const bytes of writes) client.write(bytes);
  await client.closed;
}

const TLS_HELLO = Buffer.from('16030100c8010000c40303cafebabe', 'hex');

describe('what is no Kafka stream is closed and counted', () => {
  test.each([
    ['a TLS hello', TLS_HELLO, 'not_kafka'],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'not_kafka'],
    ['an SSH client', 'SSH-2.0-OpenSSH_9.6\r\n', 'not_kafka'],
    ['a negative length', int32(-1), 'not_kafka'],
    ['the most negative length', int32(-0x8000_0000), 'not_kafka'],
    ['2 GiB', int32(0x7fff_ffff), 'not_kafka'],
    ['one byte over the limit', int32(104_857_601), 'not_kafka'],
    ['an empty message', int32(0), 'bad_request'],
    ['half a header', framed(new Uint8Array([0, 3, 0])), 'bad_request'],
    ['a length that cuts a request short', Buffer.concat([int32(8), METADATA.subarray(4)]), 'bad_request'],
    ['a body cut short', framed(METADATA.subarray(4, -2)), 'bad_request'],
    [
      'a count of elements that cannot be there',
      framed(METADATA.subarray(4, 16), Buffer.from('ffffffff0f', 'hex')),
      'bad_request',
    ],
  ])('%s', async (_, bytes, reason) => {
    const before = server.closedFor(reason);
    await closedAfter(bytes);
    expect(server.closedFor(reason)).toBe(before + 1);
  });

  test('byte by byte, too', async () => {
    const before = server.closedFor('not_kafka');
    const client = await server.client();
    for (const byte of TLS_HELLO.subarray(0, 4)) {
      client.write(new Uint8Array([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.closed;
    expect(server.closedFor('not_kafka')).toBe(before + 1);
  });

  test('a request before the garbage on the same connection is not harmed', async () => {
    const client = await server.client();
    const { errorCode } = await client.send(apiVersionsApi, 0, {});
    client.write(TLS_HELLO);
    await client.closed;
    expect(errorCode).toBe(0);
  });
});

test('bytes too many behind a body, as librdkafka 2.15 sends them, are passed over', async () => {
  const client = await server.client();
  const answered = once(client.socket, 'data');
  client.write(framed(METADATA.subarray(4), Uint8Array.of(1, 0, 0)));
  const [answer] = (await answered) as [Buffer];
  expect(answer.readInt32BE(4)).toBe(1);
  client.socket.destroy();
});

describe('clients that go', () => {
  test.each([
    ['in a length', 2],
    ['in a header', 9],
    ['in a body', METADATA.length - 1],
  ])('a message cut %s, then FIN', async (_, length) => {
    const before = new Map(server.broker.gateway.counters.closedByReason);
    const client = await server.client();
    client.write(METADATA.subarray(0, length));
    client.socket.end();
    await client.closed;
    expect(server.broker.gateway.counters.closedByReason).toEqual(before);
  });

  test('with requests on their way: FIN, then reset', async () => {
    for (const go of ['end', 'resetAndDestroy'] as const) {
      const client = await server.client();
      for (let i = 0; i < 200; i++) client.write(METADATA);
      client.socket[go]();
      await client.closed;
    }
    expect(await undisturbed()).toBe(quietCount);
  });

  test('half open: what they said is taken, and they are forgotten', async () => {
    const { host, port } = server.broker.kafka;
    const socket = connect({ host, port, allowHalfOpen: true });
    await once(socket, 'connect');
    socket.resume();
    socket.end(METADATA);
    await once(socket, 'end');
    socket.destroy();
    expect(await undisturbed()).toBe(quietCount);
  });

  test('300 that open and close in every way', async () => {
    const ways = ['end', 'destroy', 'resetAndDestroy'] as const;
    const visit = async (at: number) => {
      const client = await server.client();
      if (at % 2 === 0) client.write(METADATA.subarray(0, at % METADATA.length));
      client.socket[ways[at % 3] ?? 'end']();
      await client.closed;
    };
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 100 }, (_, at) => visit(round * 100 + at)));
    }
    expect(await undisturbed()).toBe(quietCount);
  });
});

describe('garbage', () => {
  /** Sends bytes, then a sign that the stream goes on, and waits for an answer or the end. */
  async function survives(bytes: Uint8Array): Promise<void> {
    const socket = await dial(server.broker);
    socket.on('error', () => socket.destroy());
    socket.resume();
    socket.end(bytes);
    await once(socket, 'close');
  }

  test('random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => survives(bytes)),
      { numRuns: 100 },
    );
    expect(await undisturbed()).toBe(quietCount);
  });

  test('random messages', async () => {
    const message = fc.uint8Array({ maxLength: 200 }).map((bytes) => framed(bytes));
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), (messages) =>
        survives(Buffer.concat(messages)),
      ),
      { numRuns: 100 },
    );
    expect(await undisturbed()).toBe(quietCount);
  });

  test('random bodies under a header of every API', async () => {
    const header = fc.constantFrom(...HANDLERS).chain(({ api, min, max }) =>
      fc.integer({ min, max }).map((version) => {
        const bytes = Buffer.alloc(10 + (inRange(api.flexible, version) ? 1 : 0));
        bytes.writeInt16BE(api.key, 0);
        bytes.writeInt16BE(version, 2);
        bytes.writeInt16BE(-1, 8);
        return bytes;
      }),
    );
    // Small numbers, so that counts and lengths are often possible.
    const byte = fc.oneof(
      { arbitrary: fc.constantFrom(0, 0, 0, 1, 2, 3, 0xff), weight: 4 },
      fc.integer({ min: 0, max: 255 }),
    );
    const body = fc.array(byte, { maxLength: 60 }).map((bytes) => new Uint8Array(bytes));
    await fc.assert(
      fc.asyncProperty(header, body, (head, rest) => survives(framed(head, rest))),
      { numRuns: 600 },
    );
    expect(await undisturbed()).toBe(quietCount);
  });
});
