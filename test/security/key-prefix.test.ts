import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Access } from '../../src/gateway/access/access.ts';
import { areAllOf, onlyOf, Turns } from '../../src/gateway/access/by-key.ts';
import { mayRead, mayShare } from '../../src/gateway/access/may-read.ts';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { recompress } from '../../src/records/builder.ts';
import { checkedRecords } from '../../src/records/batch.ts';
import { CODEC } from '../../src/records/codecs.ts';
import { BatchHeader, forEachBatch } from '../../src/records/header.ts';
import { connect as connectPage } from '../../src/web/index.ts';
import { AclOperation as Op, AclResource } from '../../src/security/acl.ts';
import { Scope } from '../../src/security/scope.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { saslHandshakeApi } from '../../src/wire/apis/17-sasl-handshake.ts';
import { saslAuthenticateApi } from '../../src/wire/apis/36-sasl-authenticate.ts';
import { describeProducersApi } from '../../src/wire/apis/61-describe-producers.ts';
import { batch, fetchBody, produceBody } from '../gateway/harness.ts';
import { RawClient } from '../gateway/raw-client.ts';
import { ACCEPT, batch as shareBatch, ShareMember } from '../gateway/share-member.ts';
import { AUTHORIZER, Secured } from './secured.ts';

/** Tickets that are limited to records whose keys begin somehow: what others wrote never leaves the broker. */

const utf8 = new TextEncoder();
const text = (bytes: Uint8Array | null | undefined) => new TextDecoder().decode(bytes ?? undefined);
const kernels = await loadKernels();
const tools = { kernels, codecs: nodeCodecs(kernels) };
/** Looked for in all that a broker sends. */
const SECRET = 'of-somebody-else';

let secured: Secured;
let root: Awaited<ReturnType<typeof connect>>;
let topics = 0;

beforeAll(async () => {
  secured = await Secured.start({
    httpPort: 0,
    settings: {
      'authorizer.class.name': AUTHORIZER,
      'super.users': 'User:ANONYMOUS',
      'log.retention.ms': '-1',
    },
  });
  await secured.addUser('shop', 'p', ['SCRAM-SHA-512']);
  const all = { principal: 'User:shop', operation: Op.ALL, resourceName: '*' };
  await secured.allow(
    { ...all, resourceType: AclResource.TOPIC },
    { ...all, resourceType: AclResource.GROUP },
  );
  root = await connect(`kafka://${secured.setup.host}:${secured.setup.port}`);
});
afterAll(async () => {
  await root.close();
  await secured.close();
});

async function newTopic(): Promise<{ name: string; id: string }> {
  const name = `carts-${++topics}`;
  const { id } = await root.admin.topics.create(name);
  return { name, id: id ?? '' };
}

function askFor(scoped: object[]) {
  return fetch(`http://127.0.0.1:${secured.broker.http?.port}/ticket`, {
    method: 'POST',
    body: JSON.stringify({ topics: scoped }),
    headers: { authorization: `Basic ${Buffer.from('shop:p').toString('base64')}` },
  });
}

async function ticketFor(scoped: object[]): Promise<string> {
  const answer = await askFor(scoped);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { ticket: string }).ticket;
}

const both = ['read', 'write'];
const mine = (topic: string) => ({ topic, operations: both, keyPrefix: 'c17/' });

/** A connection with a ticket, and all bytes that it gets. */
async function rawWith(token: string): Promise<{ client: RawClient; received: () => string }> {
  const client = await RawClient.connect(secured.broker.kafka);
  onTestFinished(() => client.destroy());
  const chunks: Buffer[] = [];
  client.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await client.send(saslHandshakeApi, 1, { mechanism: 'OAUTHBEARER' });
  const authBytes = utf8.encode(`n,,\u0001auth=Bearer ${token}\u0001\u0001`);
  expect(await client.send(saslAuthenticateApi, 2, { authBytes })).toMatchObject({ errorCode: 0 });
  return { client, received: () => Buffer.concat(chunks).toString('latin1') };
}

const keyed = (key: string | null, value: string) => ({
  key: key === null ? null : utf8.encode(key),
  value: utf8.encode(value),
});

describe('reading', () => {
  test('brings his records at their offsets, of any client', async () => {
    const { name } = await newTopic();
    const records = [
      ['c17/a', '1'],
      ['c2/a', SECRET],
      ['c17/b', '2'],
      [null, SECRET],
      ['c17', SECRET],
      ['c17/c', '3'],
      ['c9', SECRET],
    ] as const;
    for (const [key, value] of records) await root.send(name, { key, value });
    const token = await ticketFor([mine(name)]);
    await using client = await connect(`kafka://${secured.address}`, {
      sasl: { mechanism: 'oauthbearer', token },
    });
    const seen: [number, string, string][] = [];
    for await (const { offset, key, value } of client.read(name, { from: 'earliest', live: false }))
      seen.push([offset, text(key), text(value)]);
    expect(seen).toEqual([
      [0, 'c17/a', '1'],
      [2, 'c17/b', '2'],
      [5, 'c17/c', '3'],
    ]);
    await using page = connectPage(`ws://127.0.0.1:${secured.broker.http?.port}/kafka`, {
      token: async () => token,
    });
    const heard: string[] = [];
    for await (const { value } of page.subscribe(name, { from: 'earliest' })) {
      heard.push(text(value));
      if (heard.length === 3) break;
    }
    expect(heard).toEqual(['1', '2', '3']);
  });

  test.each(['none', 'gzip', 'lz4', 'snappy', 'zstd'] as const)(
    'out of batches packed with %s',
    async (codec) => {
      const { name, id } = await newTopic();
      const values = [keyed('c17/a', 'own'), keyed('c2/a', SECRET.repeat(9)), keyed('c17/b', 'own too')];
      await produceAsRoot({ name, id }, await packed(values, CODEC[codec]));
      const { client, received } = await rawWith(await ticketFor([mine(name)]));
      const { responses } = await client.send(fetchApi, 12, fetchBody([{ topic: { name, id } }]));
      const bytes = responses[0]?.partitions[0]?.records ?? new Uint8Array(0);
      const found = await checkedRecords(bytes, tools.kernels, tools.codecs);
      expect(Array.from(found, ({ offset, value }) => [offset, text(value)])).toEqual([
        [0, 'own'],
        [2, 'own too'],
      ]);
      expect(new BatchHeader(bytes).lastOffset).toBe(2);
      expect(received()).not.toContain(SECRET);
    },
  );

  test('goes on behind what is of others, and hears of his own that comes later', async () => {
    const { name, id } = await newTopic();
    for (let i = 0; i < 50; i++) await produceAsRoot({ name, id }, batch([keyed('c2/a', SECRET)]));
    const { client, received } = await rawWith(await ticketFor([mine(name)]));
    let fetchOffset = 0;
    const fetchNext = async (maxWaitMs: number) => {
      const body = fetchBody([{ topic: { name, id }, fetchOffset }], { maxWaitMs });
      const { responses } = await client.send(fetchApi, 12, body);
      const bytes = responses[0]?.partitions[0]?.records ?? new Uint8Array(0);
      let count = 0;
      forEachBatch(bytes, ({ lastOffset, recordsCount }) => {
        fetchOffset = lastOffset + 1;
        count += recordsCount;
      });
      return count;
    };
    while (fetchOffset < 50) expect(await fetchNext(0)).toBe(0);
    const waiting = fetchNext(10_000);
    await produceAsRoot({ name, id }, batch([keyed('c17/x', 'own')]));
    expect(await waiting).toBe(1);
    expect(fetchOffset).toBe(51);
    expect(received()).not.toContain(SECRET);
  });

  test('in a session too, and by topic id', async () => {
    const { name, id } = await newTopic();
    await produceAsRoot({ name, id }, batch([keyed('c2/a', SECRET), keyed('c17/a', 'own')]));
    const { client, received } = await rawWith(await ticketFor([mine(name)]));
    const first = await client.send(fetchApi, 15, {
      ...fetchBody([{ topic: { name, id } }]),
      sessionId: 0,
      sessionEpoch: 0,
    });
    expect(first.sessionId).toBeGreaterThan(0);
    await produceAsRoot({ name, id }, batch([keyed('c2/b', SECRET)]));
    const next = await client.send(fetchApi, 15, {
      ...fetchBody([{ topic: { name, id }, fetchOffset: 2 }]),
      sessionId: first.sessionId,
      sessionEpoch: 1,
    });
    expect(next.responses[0]?.partitions[0]?.records?.length).toBe(61);
    expect(received()).not.toContain(SECRET);
  });

  test('one of several prefixes is enough; and where one topic has none, all is his', async () => {
    const { name } = await newTopic();
    for (const key of ['a/1', 'b/1', 'c/1']) await root.send(name, { key, value: key });
    const reads = async (scoped: object[]) => {
      const token = await ticketFor(scoped);
      await using client = await connect(`kafka://${secured.address}`, {
        sasl: { mechanism: 'oauthbearer', token },
      });
      const seen: string[] = [];
      for await (const { key } of client.read(name, { from: 'earliest', live: false })) seen.push(text(key));
      return seen;
    };
    const read = (keyPrefix?: string) => ({ topic: name, operations: ['read'], keyPrefix });
    expect(await reads([read('a/'), read('c/')])).toEqual(['a/1', 'c/1']);
    expect(await reads([read('a/'), read()])).toEqual(['a/1', 'b/1', 'c/1']);
  });
});

describe('writing', () => {
  test.each<[string, (string | null)[], boolean]>([
    ['his keys', ['c17/a', 'c17/b'], true],
    ['another key', ['c2/a'], false],
    ['one among his', ['c17/a', 'c2/a'], false],
    ['no key', [null], false],
    ['the prefix alone', ['c17/'], true],
    ['less than it', ['c17'], false],
  ])('%s', async (_, keys, may) => {
    const topic = await newTopic();
    const { client } = await rawWith(await ticketFor([mine(topic.name)]));
    const body = produceBody(topic, batch(keys.map((key) => keyed(key, 'v'))));
    const { responses } = await client.send(produceApi, 9, body);
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(may ? 0 : 29);
    const seen: number[] = [];
    for await (const { offset } of root.read(topic.name, { from: 'earliest', live: false }))
      seen.push(offset);
    expect(seen.length).toBe(may ? keys.length : 0);
  });

  test.each(['gzip', 'zstd'] as const)('in a batch packed with %s', async (codec) => {
    const topic = await newTopic();
    const { client } = await rawWith(await ticketFor([mine(topic.name)]));
    const send = async (key: string) => {
      const body = produceBody(topic, await packed([keyed(key, 'v')], CODEC[codec]));
      return (await client.send(produceApi, 9, body)).responses[0]?.partitionResponses[0]?.errorCode;
    };
    expect([await send('c17/a'), await send('c2/a')]).toEqual([0, 29]);
  });

  test('damage is refused like what is of others; and without an answer the connection ends', async () => {
    const topic = await newTopic();
    const { client } = await rawWith(await ticketFor([mine(topic.name)]));
    const cut = batch([keyed('c17/a', 'v')]).subarray(0, 70);
    const { responses } = await client.send(produceApi, 9, produceBody(topic, cut));
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(29);
    client.post(produceApi, 9, produceBody(topic, batch([keyed('c2/a', 'v')]), { acks: 0 }));
    await client.closed;
  });
});

test('an answer that takes long to look through comes in slices, and whole', async () => {
  const all = Array.from({ length: 40 }, (_, at) =>
    batch([keyed(at % 2 === 0 ? 'c17/' : 'c2/', String(at))]),
  );
  let now = 0;
  let turns = 0;
  const clock = {
    now: () => 0,
    preciseMs: () => (now += 1.5),
    at: (_: number, callback: () => void) => {
      turns++;
      queueMicrotask(callback);
      return () => {};
    },
  };
  const bytes = new Uint8Array(Buffer.concat(all));
  const left = await onlyOf(tools, bytes, [utf8.encode('c17/')], new Turns(clock));
  let count = 0;
  forEachBatch(left, ({ recordsCount }) => (count += recordsCount));
  expect([count, turns > 5]).toEqual([20, true]);
});

test('a batch that unpacks to more than there is room for is nobody’s', async () => {
  const huge = [{ timestamp: 1, key: utf8.encode('c17/'), value: new Uint8Array(9 * 1024 * 1024) }];
  expect(await areAllOf(tools, await packed(huge, CODEC.zstd), [utf8.encode('c17/')])).toBe(false);
});

test('what tells of others is not for him', async () => {
  const topic = await newTopic();
  const { client } = await rawWith(await ticketFor([mine(topic.name)]));
  const join = await client.send(joinGroupApi, 5, {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [],
  });
  expect(join.errorCode).toBe(30);
  const { topics: described } = await client.send(describeProducersApi, 0, {
    topics: [{ name: topic.name, partitionIndexes: [0] }],
  });
  expect(described[0]?.partitions[0]?.errorCode).toBe(29);
});

describe('a share group', () => {
  test('is not for him, nor a record of it', async () => {
    const topic = await newTopic();
    await produceAsRoot(topic, batch([keyed('c17/a', 'own'), keyed('c2/a', SECRET)]));
    const { client, received } = await rawWith(await ticketFor([mine(topic.name)]));
    const member = new ShareMember(client, { topic, groupId: 'workers', memberId: 'm' });
    const GROUP_REFUSED = ErrorCode.GROUP_AUTHORIZATION_FAILED;
    expect((await member.beat()).errorCode).toBe(GROUP_REFUSED);
    expect((await member.send([])).errorCode).toBe(GROUP_REFUSED);
    expect(await member.acknowledge([shareBatch(0, 0, ACCEPT)])).toBe(GROUP_REFUSED);
    expect(received()).not.toContain(SECRET);
  });

  /** Whatever is said of groups: who reads there takes records from others. */
  test('gives nothing of a topic of which he may have some records', async () => {
    const { name, id: topicId } = await newTopic();
    const may = (keyPrefix?: string) => {
      const scope = new Scope([{ topic: name, operations: ['read'], ...(keyPrefix && { keyPrefix }) }]);
      const rules = { authorizer: undefined, image: secured.broker.gateway.image };
      const access = Access.of(rules, { principal: 'User:shop', host: '127.0.0.1' }, scope);
      return [mayRead(access, { topic: '', topicId }), mayShare(access, { topicId })];
    };
    expect(may()).toEqual([true, true]);
    expect(may('c17/')).toEqual([true, false]);
  });
});

test.each([
  ['a number', 5],
  ['nothing', ''],
  ['too long', 'x'.repeat(257)],
])('a prefix that is %s is refused', async (_, keyPrefix) => {
  const answer = await askFor([{ topic: 'orders', operations: ['read'], keyPrefix }]);
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('keyPrefix');
});

describe('whatever the records are', () => {
  const keys = fc.option(fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 4 }));
  const batches = fc.array(fc.array(keys, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 });

  test('those stay whose keys begin so, where they were, and the end is known', async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.constantFrom(...Object.values(CODEC)), async (all, codec) => {
        let baseOffset = 7;
        const expected: [number, string][] = [];
        const chunks = [];
        for (const one of all) {
          const records = one.map((key) => ({ timestamp: 1, ...keyed(key, `${key}`) }));
          one.forEach((key, at) => key?.startsWith('a/') && expected.push([baseOffset + at, key]));
          const bytes = new Uint8Array(await packed(records, codec));
          new DataView(bytes.buffer).setBigInt64(0, BigInt(baseOffset));
          chunks.push(bytes);
          baseOffset += one.length;
        }
        const prefixes = [utf8.encode('a/')];
        const given = new Uint8Array(Buffer.concat(chunks));
        const left = await onlyOf(tools, given, prefixes);
        const seen: [number, string][] = [];
        let end = -1;
        for (let at = 0; at < left.length;) {
          const header = new BatchHeader(left).seek(at);
          const { sizeBytes, recordsCount, lastOffset } = header;
          const found = await checkedRecords(left.subarray(at, at + sizeBytes), tools.kernels, tools.codecs);
          if (recordsCount > 0) for (const { offset, key } of found) seen.push([offset, text(key)]);
          end = lastOffset;
          at += sizeBytes;
        }
        expect(seen).toEqual(expected);
        expect(end).toBe(baseOffset - 1);
        const areAll = all.flat().every((key) => key?.startsWith('a/') === true);
        expect(await areAllOf(tools, given, prefixes)).toBe(areAll);
      }),
      { numRuns: 200 },
    );
  });
});

async function produceAsRoot(topic: { name: string; id: string }, bytes: Uint8Array): Promise<void> {
  const client = await secured.rawSetup();
  const { responses } = await client.send(produceApi, 9, produceBody(topic, bytes));
  expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
}

type Spec = Parameters<typeof batch>[0];

async function packed(records: Spec, codec: number): Promise<Uint8Array> {
  return recompress(tools, batch(records), codec);
}
