/**
 * What one message costs, against the clients of others. They speak different versions, so each is met where it is
 * newest. What the wire does not do is left out on both sides: fetched partitions have no records, and produced ones
 * one small batch, which both sides make, as theirs cannot send a ready one.
 */
import { loadKernels } from '../../src/kernels/load.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../src/wire/frame.ts';
import type { Api, ResponseInitOf } from '../../src/wire/schema.ts';
import { comparable, leavesOf } from '../wire/oracle.ts';
import { KAFKAJS_INVENTS } from '../wire/oracle-kafkajs.ts';
import { PLATFORMATIC_INVENTS } from '../wire/oracle-platformatic.ts';
import { interleave, median, ratio, report } from './harness.ts';
import { kafkajsCodec, platformaticCodec, type PeerCodec } from './wire-peers.ts';

const HEADER = { correlationId: 7, clientId: 'bench' };
const TOPIC = 'orders';
const TOPIC_ID = Buffer.from('a topic’s id, 1').toString('base64url').slice(0, 22);
const BARS = { kafkajs: 2, platformatic: 1 };
/** What either side fills in where the version has no such field. */
const INVENTED = [...KAFKAJS_INVENTS, ...PLATFORMATIC_INVENTS];
/** Answers of a megabyte fill the young generation: rounds of several calls share what collecting it costs. */
const LARGE_CALLS = 8;

interface Peer {
  name: keyof typeof BARS;
  codec: PeerCodec;
  version: number;
}

const kernels = await loadKernels();

export async function run(): Promise<void> {
  for (const partitions of [1, 100]) {
    for (const peer of peersOf('Produce', 7, 9)) await benchProduce(peer, partitions);
    for (const peer of peersOf('Fetch', 11, 12)) await benchFetch(peer, partitions);
  }
  for (const peer of peersOf('Metadata', 6, 12)) await benchMetadata(peer);
  await benchServing();
}

/** The broker's side, which clients do not have: figures without a peer. */
async function benchServing(): Promise<void> {
  const version = 12;
  for (const count of [1, 100]) {
    const indexes = Array.from({ length: count }, (_, index) => index);
    const produced = encodeRequest(produceApi, version, HEADER, {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [
        { name: TOPIC, partitionData: indexes.map((index) => ({ index, records: Buffer.alloc(171) })) },
      ],
    }).subarray(4);
    const fetchedBody = {
      throttleTimeMs: 0,
      errorCode: 0,
      responses: [{ topic: TOPIC, partitions: indexes.map(fetched) }],
    };
    await time(`wire-decode-produce-request-${count} v${version}`, () =>
      decodeRequest(produceApi, version, produced, decodeRequestHeader(produced).bodyAt),
    );
    await time(`wire-encode-fetch-response-${count} v${version}`, () =>
      encodeResponse(fetchApi, version, 1, fetchedBody),
    );
  }
  const body = allTopics();
  await time(`wire-encode-metadata-response-10000-topics v${version}`, () =>
    encodeResponse(metadataApi, version, 1, body),
  );
}

async function time(bench: string, ours: () => unknown): Promise<void> {
  const { ours: seconds } = await interleave({ ours });
  report({ bench, value: median(seconds) * 1e6, unit: 'us' });
}

function peersOf(api: string, kafkajs: number, platformatic: number): Peer[] {
  const name = api.toLowerCase();
  return [
    { name: 'kafkajs', codec: kafkajsCodec(api, kafkajs), version: kafkajs },
    { name: 'platformatic', codec: platformaticCodec(name, platformatic), version: platformatic },
  ];
}

async function benchProduce(peer: Peer, count: number): Promise<void> {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const [key, value, timestamp] = [Buffer.from('key'), Buffer.alloc(100, 'v'), 1_700_000_000_000];
  const args =
    peer.name === 'kafkajs'
      ? {
          acks: -1,
          timeout: 30_000,
          producerId: -1,
          topicData: [
            {
              topic: TOPIC,
              partitions: indexes.map((partition) => ({
                partition,
                firstSequence: 0,
                messages: [{ key, value, timestamp, headers: {} }],
              })),
            },
          ],
        }
      : [
          -1,
          30_000,
          indexes.map((partition) => ({ topic: TOPIC, partition, key, value, timestamp: BigInt(timestamp) })),
          {},
        ];
  const batch = { records: [{ key, value, timestamp }], leaderEpoch: 0, producerEpoch: 0, baseSequence: 0 };
  const ours = () =>
    encodeRequest(produceApi, peer.version, HEADER, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 30_000,
      topicData: [
        {
          name: TOPIC,
          partitionData: indexes.map((index) => ({ index, records: buildBatch(kernels, batch) })),
        },
      ],
    });
  await compareEncoding(peer, `produce-request-${count}`, ours, args);
  await compareDecoding(peer, `produce-response-${count}`, produceApi, {
    responses: [
      {
        name: TOPIC,
        partitionResponses: indexes.map((index) => ({
          index,
          errorCode: 0,
          baseOffset: 1_000_000 + index,
          logStartOffset: 0,
        })),
      },
    ],
  });
}

async function benchFetch(peer: Peer, count: number): Promise<void> {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const isKafkajs = peer.name === 'kafkajs';
  const partitions = indexes.map((partition) => ({
    partition,
    currentLeaderEpoch: 3,
    fetchOffset: isKafkajs ? 1_000_000 : 1_000_000n,
    ...(isKafkajs
      ? { maxBytes: 1_048_576, logStartOffset: -1 }
      : { lastFetchedEpoch: -1, partitionMaxBytes: 1_048_576 }),
  }));
  const args = isKafkajs
    ? {
        replicaId: -1,
        maxWaitTime: 500,
        minBytes: 1,
        maxBytes: 10_485_760,
        isolationLevel: 1,
        sessionId: 0,
        sessionEpoch: -1,
        forgottenTopics: [],
        rackId: '',
        topics: [{ topic: TOPIC, partitions }],
      }
    : [500, 1, 10_485_760, 1, 0, -1, [{ topicId: TOPIC, partitions }], [], ''];
  const request = {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 10_485_760,
    isolationLevel: 1,
    topics: [
      {
        topic: TOPIC,
        partitions: indexes.map((partition) => ({
          partition,
          currentLeaderEpoch: 3,
          fetchOffset: 1_000_000,
          partitionMaxBytes: 1_048_576,
        })),
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  };
  const ours = () => encodeRequest(fetchApi, peer.version, HEADER, request);
  await compareEncoding(peer, `fetch-request-${count}`, ours, args);
  await compareDecoding(peer, `fetch-response-${count}`, fetchApi, {
    throttleTimeMs: 0,
    errorCode: 0,
    responses: [{ topic: TOPIC, partitions: indexes.map(fetched) }],
  });
}

function fetched(partitionIndex: number) {
  return {
    partitionIndex,
    errorCode: 0,
    highWatermark: 1_000_000 + partitionIndex,
    lastStableOffset: 1_000_000 + partitionIndex,
    logStartOffset: 0,
    abortedTransactions: [],
    records: new Uint8Array(0),
  };
}

function allTopics() {
  const topics = Array.from({ length: 10_000 }, (_, topic) => ({
    errorCode: 0,
    name: `orders-${topic}`,
    topicId: Buffer.from(`${topic}`.padEnd(16, '.')).toString('base64url'),
    partitions: Array.from({ length: 4 }, (_partition, partitionIndex) => ({
      errorCode: 0,
      partitionIndex,
      leaderId: 1,
      leaderEpoch: 2,
      replicaNodes: [1],
      isrNodes: [1],
      offlineReplicas: [],
    })),
  }));
  const brokers = [{ nodeId: 1, host: '127.0.0.1', port: 9092 }];
  return { throttleTimeMs: 0, errorCode: 0, brokers, clusterId: TOPIC_ID, controllerId: 1, topics };
}

async function benchMetadata(peer: Peer): Promise<void> {
  const body = allTopics();
  const names = body.topics.map(({ name }) => name);
  const args =
    peer.name === 'kafkajs' ? { topics: names, allowAutoTopicCreation: false } : [names, false, false];
  const request = { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false };
  const ours = () => encodeRequest(metadataApi, peer.version, HEADER, request);
  await compareEncoding(peer, 'metadata-request-10000-topics', ours, args);
  await compareDecoding(peer, 'metadata-response-10000-topics', metadataApi, body, LARGE_CALLS);
}

async function compareEncoding(
  peer: Peer,
  bench: string,
  ours: () => Uint8Array,
  args: unknown,
): Promise<void> {
  const theirs = Buffer.from(await peer.codec.encode(args));
  if (!theirs.equals(ours())) {
    throw new Error(`${bench}: our bytes are not those of ${peer.name}`);
  }
  await compare(peer, `wire-encode-${bench}`, ours, () => peer.codec.encode(args), 1);
}

async function compareDecoding<A extends Api>(
  peer: Peer,
  bench: string,
  api: A,
  body: ResponseInitOf<A>,
  calls = 1,
): Promise<void> {
  const frame = Buffer.concat(encodeResponse(api, peer.version, HEADER.correlationId, body)).subarray(4);
  const ours = () => decodeResponse(api, peer.version, frame).body;
  const read = [ours(), await peer.codec.decode(frame)].map((value) => comparable(leavesOf(value), INVENTED));
  if (read[0]!.join() !== read[1]!.join()) {
    throw new Error(`${bench}: we do not read what ${peer.name} reads`);
  }
  await compare(peer, `wire-decode-${bench}`, ours, () => peer.codec.decode(frame), calls);
}

async function compare(
  peer: Peer,
  bench: string,
  ours: () => unknown,
  theirs: () => unknown,
  calls: number,
): Promise<void> {
  const cases = { ours: repeated(ours, calls), theirs: repeated(theirs, calls) };
  // Once for nothing: an engine optimises on another thread, which a busy machine lets wait.
  await interleave(cases);
  const timings = await interleave(cases);
  report({
    bench: `${bench} v${peer.version}`,
    value: (median(timings.ours) * 1e6) / calls,
    unit: 'us',
    peer: peer.name,
    ratio: ratio(timings, 'ours', 'theirs'),
    bar: { ratio: BARS[peer.name] },
  });
}

function repeated(run: () => unknown, calls: number): () => unknown {
  if (calls === 1) return run;
  return async () => {
    for (let call = 0; call < calls; call++) await run();
  };
}
