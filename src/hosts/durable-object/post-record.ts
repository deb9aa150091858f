import { murmur2Partitioner } from '../../client/producer/partitioner.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import type { MetadataImage } from '../../metadata/image.ts';
import { concat } from '../../model/bytes.ts';
import { ErrorCode, errorInfo } from '../../model/errors.ts';
import { buildBatch } from '../../records/builder.ts';
import type { Authenticated } from '../../sasl/server.ts';
import { produceApi } from '../../wire/apis/00-produce.ts';
import { decodeResponse, encodeRequest } from '../../wire/frame.ts';
import { webRandom } from '../web/random.ts';
import type { ClientGateway } from './client-gateway.ts';

export interface Posted {
  topic: string;
  key?: string | undefined;
  /** Left out, the key's as Kafka's clients choose it; without a key any. */
  partition?: number | undefined;
  value: Uint8Array;
  /** Whoever posts it; left out, anybody. */
  who?: Authenticated | undefined;
  /** Kafka's form of the client's address. */
  clientHost: string;
}

/** An answer of HTTP, its body JSON. */
export interface Answer {
  status: number;
  body: Readonly<Record<string, unknown>>;
}

/** The last version that names topics. */
const VERSION = 12;
const TIMEOUT_MS = 10_000;
const SIZE_BYTES = 4;
/** What clients of HTTP understand of our codes; the rest may be tried again. */
const STATUS: ReadonlyMap<number, number> = new Map([
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 404],
  [ErrorCode.INVALID_TOPIC_EXCEPTION, 400],
  [ErrorCode.INVALID_RECORD, 400],
  [ErrorCode.MESSAGE_TOO_LARGE, 413],
  [ErrorCode.TOPIC_AUTHORIZATION_FAILED, 403],
]);
const UNAVAILABLE = 503;

/** Writes one record for whoever asks over HTTP: as a client of Kafka would, by the way that clients come. */
export async function postRecord(client: ClientGateway, kernels: Kernels, posted: Posted): Promise<Answer> {
  await new Promise<void>((resolve) => client.whenReady(resolve));
  const partition = posted.partition ?? partitionOf(client.gateway.image, posted);
  const { errorCode, ...at } = await produce(client, requestOf(kernels, posted, partition), posted);
  if (errorCode === ErrorCode.NONE) return { status: 200, body: { topic: posted.topic, partition, ...at } };
  const { name: code, retriable } = errorInfo(errorCode);
  return { status: STATUS.get(errorCode) ?? UNAVAILABLE, body: { code, retriable } };
}

function partitionOf(image: MetadataImage, { topic, key }: Posted): number {
  const count = image.topic(topic)?.partitions.length ?? 1;
  if (key === undefined) return Math.floor(webRandom.next() * count);
  return murmur2Partitioner({ topic, key }, count);
}

function requestOf(kernels: Kernels, { topic, key, value }: Posted, index: number): Uint8Array {
  const utf8 = new TextEncoder();
  const record = { key: key === undefined ? null : utf8.encode(key), value, timestamp: Date.now() };
  const records = buildBatch(kernels, { records: [record] });
  return encodeRequest(
    produceApi,
    VERSION,
    { correlationId: 1, clientId: 'http' },
    { acks: -1, timeoutMs: TIMEOUT_MS, topicData: [{ name: topic, partitionData: [{ index, records }] }] },
  );
}

function produce(
  { gateway }: ClientGateway,
  request: Uint8Array,
  { who, clientHost }: Posted,
): Promise<{ errorCode: number; offset: number }> {
  return new Promise((resolve) => {
    const connection = gateway.connect({
      address: { host: 'here', port: 1 },
      clientHost,
      readsInPlace: false,
      write(chunks) {
        const { body } = decodeResponse(produceApi, VERSION, concat(chunks).subarray(SIZE_BYTES));
        const answer = body.responses[0]?.partitionResponses[0];
        resolve({
          errorCode: answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR,
          offset: answer?.baseOffset ?? -1,
        });
        return true;
      },
      pause: () => {},
      resume: () => {},
      close: () => resolve({ errorCode: ErrorCode.NETWORK_EXCEPTION, offset: -1 }),
    });
    if (who !== undefined) connection.knows(who);
    connection.receive(request);
  });
}
