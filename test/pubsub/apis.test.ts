import fc from 'fast-check';
import { expect, test } from 'vitest';
import { errorInfo, ErrorCode } from '../../src/model/errors.ts';
import * as web from '../../src/web/apis.ts';
import { Input, Output } from '../../src/web/bytes.ts';
import { refusal } from '../../src/web/errors.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { apiVersionsApi } from '../../src/wire/apis/18-api-versions.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { decodeRequest, encodeResponse } from '../../src/wire/frame.ts';
import { type Api, inRange, type ResponseInitOf } from '../../src/wire/schema.ts';
import { bodyArbitrary } from '../wire/arbitraries.ts';

/** What a page says and hears of the wire, against the schemas. */

const PAIRS = [
  [web.apiVersionsApi, apiVersionsApi],
  [web.metadataApi, metadataApi],
  [web.listOffsetsApi, listOffsetsApi],
  [web.fetchApi, fetchApi],
  [web.produceApi, produceApi],
  [web.initProducerIdApi, initProducerIdApi],
] as [web.Api<unknown, unknown>, Api][];

test.each(PAIRS)('$name: name, number, and a version that is flexible', (ours, api) => {
  expect([ours.name, ours.key]).toEqual([api.name, api.key]);
  expect(inRange(api.flexible, ours.version)).toBe(true);
});

/** A question as the schema reads it. */
function asked<Question>(ours: web.Api<Question, unknown>, api: Api, question: Question): unknown {
  const out = new Output();
  ours.write(out, question);
  return decodeRequest(api, ours.version, out.finish(), 0);
}

const id = String.fromCharCode(...Array.from({ length: 16 }, (_, at) => 255 - at));
const uuid = Buffer.from(id, 'latin1').toString('base64url');

test('what is asked', () => {
  expect(asked(web.apiVersionsApi, apiVersionsApi, undefined)).toMatchObject({
    clientSoftwareName: 'milena-web',
  });
  expect(asked(web.metadataApi, metadataApi, { topic: 'ö', mayCreate: true })).toMatchObject({
    topics: [{ name: 'ö' }],
    allowAutoTopicCreation: true,
  });
  expect(
    asked(web.listOffsetsApi, listOffsetsApi, { topic: 'a', partitions: [0, 7], timestamp: -2 }),
  ).toMatchObject({
    replicaId: -1,
    topics: [{ name: 'a', partitions: [{ partitionIndex: 0 }, { partitionIndex: 7, timestamp: -2 }] }],
  });
  const partitions = [{ partition: 2, offset: 2 ** 40, leaderEpoch: 3 }];
  expect(asked(web.fetchApi, fetchApi, { topicId: id, maxWaitMs: 5, maxBytes: 6, partitions })).toMatchObject(
    {
      replicaId: -1,
      maxWaitMs: 5,
      minBytes: 1,
      maxBytes: 6,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          topicId: uuid,
          partitions: [
            {
              partition: 2,
              fetchOffset: 2 ** 40,
              lastFetchedEpoch: 3,
              currentLeaderEpoch: -1,
              partitionMaxBytes: 6,
            },
          ],
        },
      ],
      forgottenTopicsData: [],
    },
  );
  const batch = new Uint8Array(500).fill(9);
  expect(asked(web.produceApi, produceApi, { topic: 'a', partition: 4, batch, timeoutMs: 8 })).toMatchObject({
    transactionalId: null,
    acks: -1,
    timeoutMs: 8,
    topicData: [{ name: 'a', partitionData: [{ index: 4, records: batch }] }],
  });
  expect(asked(web.initProducerIdApi, initProducerIdApi, undefined)).toMatchObject({
    transactionalId: null,
    producerId: -1,
    producerEpoch: -1,
  });
});

/** The body of an answer: without size, correlation id and the tags of its header. */
function bodyOf(api: Api, version: number, answer: unknown): Input {
  const frame = Buffer.concat(encodeResponse(api, version, 1, answer as ResponseInitOf<Api>));
  return new Input(Uint8Array.from(frame.subarray(api.key === apiVersionsApi.key ? 8 : 9)));
}

interface FetchAnswer {
  errorCode: number;
  responses: {
    partitions: {
      partitionIndex: number;
      errorCode: number;
      records: Uint8Array | null;
      divergingEpoch?: { endOffset: number };
    }[];
  }[];
}

test('any Fetch answer', () => {
  fc.assert(
    fc.property(bodyArbitrary(fetchApi.response, 13), (body) => {
      const answer = body as unknown as FetchAnswer;
      const read = web.fetchApi.read(bodyOf(fetchApi, 13, body));
      expect(read.errorCode).toBe(answer.errorCode);
      const parts = answer.responses.flatMap(({ partitions }) => partitions);
      expect(
        read.parts.map(({ partition, errorCode, records }) => ({ partition, errorCode, records })),
      ).toEqual(
        parts.map(({ partitionIndex: partition, errorCode, records }) => ({ partition, errorCode, records })),
      );
    }),
  );
});

test('a diverging log says where', () => {
  const part = {
    partitionIndex: 1,
    errorCode: 0,
    highWatermark: 9,
    divergingEpoch: { epoch: 2, endOffset: 77 },
  };
  const answer = {
    throttleTimeMs: 0,
    responses: [{ topicId: uuid, partitions: [{ ...part, records: null, abortedTransactions: null }] }],
  };
  const { parts } = web.fetchApi.read(bodyOf(fetchApi, 13, answer));
  expect(parts).toEqual([{ partition: 1, errorCode: 0, divergedAt: 77, records: null }]);
});

test('any Metadata, ListOffsets, Produce, InitProducerId and ApiVersions answer', () => {
  for (const [ours, api] of PAIRS) {
    if (api === fetchApi) continue;
    fc.assert(
      fc.property(bodyArbitrary(api.response, ours.version), (body) => {
        const input = bodyOf(api, ours.version, body);
        const read = ours.read(input);
        expect(summary(ours, read)).toEqual(expected(ours, body));
      }),
      { numRuns: 60 },
    );
  }
});

/** The figures that both sides have, in order. */
function summary(ours: web.Api<unknown, unknown>, read: unknown): unknown {
  if (ours !== (web.metadataApi as unknown)) return read;
  const { brokers, topic } = read as { brokers: unknown[]; topic: web.TopicFacts | undefined };
  return { brokers, partitions: topic?.partitions, errorCode: topic?.errorCode };
}

/** What a schema's body is; each test knows what it reads. */
type Any = Record<string, unknown>;
const EXPECTED: Readonly<Record<string, (body: Any) => unknown>> = {
  ApiVersions: ({ errorCode, apiKeys }) =>
    errorCode !== 0
      ? []
      : (apiKeys as Any[]).map(({ apiKey, minVersion: min, maxVersion: max }) => ({ apiKey, min, max })),
  Metadata: ({ brokers, topics }) => {
    const [topic] = topics as Any[];
    return {
      brokers: (brokers as Any[]).map(({ nodeId, host, port }) => ({ nodeId, host, port })),
      partitions: (topic?.['partitions'] as Any[] | undefined)?.map(
        ({ partitionIndex: partition, leaderId }) => ({
          partition,
          leaderId,
        }),
      ),
      errorCode: topic?.['errorCode'],
    };
  },
  ListOffsets: ({ topics }) =>
    (topics as { partitions: Any[] }[]).flatMap(({ partitions }) =>
      partitions.map(({ partitionIndex: partition, errorCode, offset }) => ({
        partition,
        errorCode,
        offset,
      })),
    ),
  Produce: ({ responses }) => {
    const [part] = (responses as { partitionResponses: Any[] }[]).flatMap((each) => each.partitionResponses);
    return (
      part && {
        errorCode: part['errorCode'],
        baseOffset: part['baseOffset'],
        appendTimeMs: part['logAppendTimeMs'],
        message: part['errorMessage'],
      }
    );
  },
  InitProducerId: ({ errorCode, producerId, producerEpoch }) => ({ errorCode, producerId, producerEpoch }),
};

function expected(ours: web.Api<unknown, unknown>, body: unknown): unknown {
  return EXPECTED[ours.name]?.(body as Any);
}

test('names of errors, and whether another try may help, are those of Kafka', () => {
  const refusals = Object.values(ErrorCode).map((code) => ({ code, error: refusal(code, 'orders') }));
  const named = refusals.filter(({ error }) => !error.code.startsWith('KAFKA_ERROR_'));
  expect(named.map(({ error }) => [error.code, error.retriable])).toEqual(
    named.map(({ code }) => [errorInfo(code).name, errorInfo(code).retriable]),
  );
  expect(named.length).toBeGreaterThan(30);
  expect(refusal(68, 'orders')).toMatchObject({ code: 'KAFKA_ERROR_68', retriable: false });
});

test('numbers of all sizes go there and back', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (wide, zigzag) => {
      const from = new Input(
        new Output().int64(wide).varint(zigzag).unsignedVarint(Math.abs(zigzag)).finish(),
      );
      expect([from.int64(), from.varint(), from.unsignedVarint()]).toEqual([wide, zigzag, Math.abs(zigzag)]);
      expect(() => from.int8()).toThrow(RangeError);
    }),
  );
});
