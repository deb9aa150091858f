import { ErrorCode } from '../model/errors.ts';
import type { Millis, Offset } from '../model/ids.ts';
import { fetchApi } from '../wire/apis/01-fetch.ts';
import { forEachBatch, offsetAfter } from '../records/header.ts';
import type { Cluster } from './cluster.ts';
import { BrokerError } from './errors.ts';
import { Lookups } from './fetch/lookups.ts';
import { EARLIEST, LATEST } from './fetch/position.ts';
import { titleOf } from './topic-partition.ts';

const FETCH_VERSIONS = { min: 4, max: 12 };

/** What one fetch brings, about: memory is this, once being written and once on its way. */
const FETCH_BYTES = 1024 * 1024;

/** Nothing comes at once only where a compacted log ends before its end. */
const EMPTY_WAIT_MS = 500;

/** Batches of one topic, as its brokers keep them. */
export class TopicReader {
  readonly #cluster: Cluster;
  readonly #lookups: Lookups;
  readonly #topic: string;

  constructor(cluster: Cluster, topic: string) {
    this.#cluster = cluster;
    this.#lookups = new Lookups(cluster, 'read_uncommitted');
    this.#topic = topic;
  }

  /** First offset there is, and the one after the last that is committed. */
  async bounds(partition: number): Promise<{ startOffset: Offset; endOffset: Offset }> {
    const at = { topic: this.#topic, partition };
    const [start, end] = await Promise.all(
      [EARLIEST, LATEST].map((timestamp) => this.#lookups.offsetAt(at, timestamp)),
    );
    return { startOffset: start?.offset ?? 0, endOffset: end?.offset ?? 0 };
  }

  /** Offset of the first record at or after `timestamp`; undefined when there is none. */
  async offsetAt(partition: number, timestamp: Millis): Promise<Offset | undefined> {
    const { offset } = await this.#lookups.offsetAt({ topic: this.#topic, partition }, timestamp);
    return offset < 0 ? undefined : offset;
  }

  /**
   * Whole batches that reach into `[fromOffset, endOffset)`, several at once, in order; the next are on their way while
   * these are used. @throws BrokerError, ConnectionLost.
   */
  async *batches(partition: number, fromOffset: Offset, endOffset: Offset): AsyncGenerator<Uint8Array> {
    let next = fromOffset < endOffset ? this.#fetch(partition, fromOffset) : undefined;
    while (next !== undefined) {
      const bytes: Uint8Array = await next;
      if (bytes.length === 0) return;
      const nextOffset = offsetAfter(bytes) ?? 0;
      next = nextOffset < endOffset ? this.#fetch(partition, nextOffset) : undefined;
      // Whoever stops reading leaves it unawaited.
      next?.catch(() => {});
      yield bytes;
    }
  }

  async #fetch(partition: number, fetchOffset: Offset): Promise<Uint8Array> {
    const leader = await this.#cluster.leaderOf(this.#topic, partition);
    const wanted = { partition, fetchOffset, partitionMaxBytes: FETCH_BYTES };
    const { errorCode, responses } = await leader.request(fetchApi, FETCH_VERSIONS, {
      maxWaitMs: EMPTY_WAIT_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      topics: [{ topic: this.#topic, partitions: [wanted] }],
    });
    const found = responses[0]?.partitions[0];
    this.#check(partition, errorCode === ErrorCode.NONE ? found?.errorCode : errorCode);
    return wholeBatches(found?.records ?? new Uint8Array(0), titleOf({ topic: this.#topic, partition }));
  }

  #check(partition: number, errorCode: number = ErrorCode.UNKNOWN_SERVER_ERROR): void {
    if (errorCode === ErrorCode.NONE) return;
    throw new BrokerError(errorCode, titleOf({ topic: this.#topic, partition }));
  }
}

/** Without what a broker cut off at the end. @throws BrokerError for batches of the formats before Kafka 0.11. */
function wholeBatches(bytes: Uint8Array, title: string): Uint8Array {
  let end = 0;
  forEachBatch(bytes, (batch) => {
    if (batch.magic !== 2)
      throw new BrokerError(
        ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        `${title}: magic ${batch.magic} is not 2`,
      );
    end = batch.position + batch.sizeBytes;
  });
  return bytes.subarray(0, end);
}
