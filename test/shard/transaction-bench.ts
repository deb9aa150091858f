import { TwinKernels } from '../../src/kernels/twin.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/config.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import type { ShardReply, ShardRequest } from '../../src/ports/shard-link.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { Asks } from '../../src/shard/asks.ts';
import { Shard } from '../../src/shard/shard.ts';
import { type ProduceResponse, produceApi } from '../../src/wire/apis/00-produce.ts';
import { type FetchResponse, fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { type ListOffsetsResponse, listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import {
  type WriteTxnMarkersResponse,
  writeTxnMarkersApi,
} from '../../src/wire/apis/27-write-txn-markers.ts';
import { ManualClock } from '../gateway/fake-gateway.ts';
import { until } from '../gateway/until.ts';
import { offsetsOf } from '../storage/batches.ts';
import { FaultyStore } from './faulty-store.ts';

const kernels = new TwinKernels();
const log = 'AAAAAAAAAAAAAAAAAAAAAg/0';
const name = { log, topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAg', partition: 0 };
const caller = { principal: 'User:ANONYMOUS', clientId: 'test', clientHost: '/127.0.0.1' };
/** Levels of isolation. */
export const [UNCOMMITTED, COMMITTED] = [0, 1];
/** Versions of Produce: without TRANSACTION_ABORTABLE, with it, and of transactions v2. */
export const [OLD, V1, V2] = [10, 11, 12];

export interface Produced {
  producerId?: number;
  producerEpoch?: number;
  baseSequence?: number;
  apiVersion?: number;
  transactionalId?: string | null;
}

/** One shard; the coordinator it asks is the test. */
export class TransactionBench {
  readonly store = new FaultyStore();
  readonly clock = new ManualClock();
  readonly asked: ShardRequest[] = [];
  readonly replies = new Map<number, ShardReply[]>();
  readonly shard: Shard;
  readonly #asks: Asks;
  #sent = 0;

  /** @param coordinator of all transactions. */
  constructor(coordinator: string | undefined) {
    const { store, clock } = this;
    this.#asks = new Asks({ request: (request) => void this.asked.push(request) }, clock);
    const reply = (answer: ShardReply) => void this.replies.get(answer.to.correlationId)?.push(answer);
    const parts = { store, kernels, codecs: new Map(), clock, asks: this.#asks, onWarning: () => {}, reply };
    const config = () => DEFAULT_LOG_CONFIG;
    const transactionCoordinator = () => coordinator;
    this.shard = new Shard(parts, {
      name,
      stored: new Set(),
      config,
      leaderEpoch: () => 0,
      transactionCoordinator,
    });
  }

  send(apiKey: number, apiVersion: number, body: unknown): number {
    const from = { link: 1, correlationId: ++this.#sent };
    this.replies.set(from.correlationId, []);
    this.shard.receive({ shard: `d/${log}`, from, caller, apiKey, apiVersion, body });
    return from.correlationId;
  }

  answers(correlationId: number): ShardReply[] {
    return this.replies.get(correlationId) ?? [];
  }

  async answer(correlationId: number, number = 1): Promise<unknown> {
    await until('it is answered', () => this.answers(correlationId).length >= number);
    return this.answers(correlationId)[number - 1]?.body;
  }

  produce({ apiVersion = V1, transactionalId = 'tx', ...producer }: Produced = {}): number {
    const records = buildBatch(kernels, {
      records: [{ value: 'x', timestamp: this.clock.nowMs }],
      producerId: 7,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
      ...producer,
    });
    const topicData = [{ name: 'orders', topicId: name.topicId, partitionData: [{ index: 0, records }] }];
    return this.send(produceApi.key, apiVersion, { transactionalId, acks: -1, timeoutMs: 1000, topicData });
  }

  async produced(correlationId: number): Promise<{ errorCode: number; baseOffset: number }> {
    const { responses } = (await this.answer(correlationId)) as ProduceResponse;
    const { errorCode = -1, baseOffset = -1 } = responses[0]?.partitionResponses[0] ?? {};
    return { errorCode, baseOffset };
  }

  /** The coordinator's word to the `number`-th question. */
  says(partitionErrorCode: number, number = 0): void {
    const resultsByPartition = [{ partitionIndex: 0, partitionErrorCode }];
    const topicResults = [{ name: 'orders', resultsByPartition }];
    const to = this.asked[number]?.from ?? { link: 0, correlationId: 0 };
    const results = [{ transactionalId: 'tx', topicResults }];
    this.#asks.receive({ to, body: { throttleTimeMs: 0, errorCode: 0, resultsByTransaction: results } });
  }

  async begin(producer: Produced = {}): Promise<number> {
    const number = this.asked.length;
    const sent = this.produce(producer);
    await until('the coordinator is asked', () => this.asked.length > number);
    this.says(ErrorCode.NONE, number);
    return (await this.produced(sent)).baseOffset;
  }

  async mark(
    isCommit: boolean,
    { producerId = 7, producerEpoch = 0, coordinatorEpoch = 0 } = {},
  ): Promise<number | undefined> {
    const topics = [{ name: 'orders', partitionIndexes: [0] }];
    const marker = { producerId, producerEpoch, coordinatorEpoch, topics, transactionResult: isCommit };
    const sent = this.send(writeTxnMarkersApi.key, 1, { markers: [{ ...marker, transactionVersion: 0 }] });
    const { markers } = (await this.answer(sent)) as WriteTxnMarkersResponse;
    return markers[0]?.topics[0]?.partitions[0]?.errorCode;
  }

  fetch(fetchOffset: number, isolationLevel: number, { maxWaitMs = 0, minBytes = 1 } = {}): number {
    const wanted = {
      partition: 0,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      partitionMaxBytes: 1e6,
      fetchOffset,
    };
    const topics = [{ topic: 'orders', topicId: name.topicId, partitions: [wanted] }];
    return this.send(fetchApi.key, 12, { maxWaitMs, minBytes, isolationLevel, topics });
  }

  async fetched(correlationId: number, number = 1) {
    const { responses } = (await this.answer(correlationId, number)) as FetchResponse;
    const found = responses[0]?.partitions[0];
    const offsets = offsetsOf(found?.records ?? new Uint8Array()).map(([first]) => first);
    const { highWatermark, lastStableOffset, abortedTransactions: aborted } = found ?? {};
    return { offsets, highWatermark, lastStableOffset, aborted };
  }

  async offsetAt(timestamp: number, isolationLevel: number): Promise<number | undefined> {
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }];
    const sent = this.send(listOffsetsApi.key, 7, {
      isolationLevel,
      topics: [{ name: 'orders', partitions }],
    });
    return ((await this.answer(sent)) as ListOffsetsResponse).topics[0]?.partitions[0]?.offset;
  }
}
