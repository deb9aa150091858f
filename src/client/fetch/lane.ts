import { ErrorCode } from '../../model/errors.ts';
import { ZERO_UUID } from '../../model/ids.ts';
import { fetchApi, type FetchResponse } from '../../wire/apis/01-fetch.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { abortable } from '../retry.ts';
import type { FetchSettings } from './fetch-options.ts';
import { levelOf } from './lookups.ts';
import type { FetchPartition } from './partition.ts';
import { FetchSession, INITIAL_EPOCH, keyOf } from './session.ts';

/** v4 brought transactions; from v13 on topics have ids. */
const VERSIONS_BY_NAME = { min: 4, max: 12 };
const VERSIONS_BY_ID = { min: 13, max: 17 };
/** Errors of a session, which is opened again; nothing else is wrong. */
const SESSION_ERRORS: ReadonlySet<number> = new Set([
  ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
  ErrorCode.INVALID_FETCH_SESSION_EPOCH,
  ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
]);

export type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

/** Soft: a first batch that is larger comes all the same, from most brokers. */
export interface FetchSizes {
  maxBytes: number;
  partitionMaxBytes: number;
}

export interface LaneAnswer {
  /** Of a partition that is not in it nothing has changed, unless all was asked for. */
  answerOf(at: FetchPartition): PartitionAnswer | undefined;
  isWhole: boolean;
  nodeId: number;
  /** Nobody looks at its records any more. */
  giveBack: () => void;
  nodeEndpoints: FetchResponse['nodeEndpoints'];
  recordBytes: number;
  isThrottled: boolean;
}

/** One broker, over a connection of its own: a fetch is answered when there is something, and others would wait. */
export class Lane {
  readonly nodeId: number;
  /** A request is not answered. */
  isBusy = false;
  readonly #cluster: Cluster;
  readonly #settings: FetchSettings;
  readonly #signal: AbortSignal;
  readonly #session = new FetchSession();
  #exchange: Exchange | undefined;

  constructor(nodeId: number, about: { cluster: Cluster; settings: FetchSettings; signal: AbortSignal }) {
    this.nodeId = nodeId;
    this.#cluster = about.cluster;
    this.#settings = about.settings;
    this.#signal = about.signal;
  }

  /**
   * Asks for what comes next in all of these.
   * @returns undefined when the broker has forgotten what it was told: ask again.
   * @throws ConnectionLost; BrokerError of the whole request.
   */
  async fetch(
    partitions: readonly FetchPartition[],
    { maxBytes, partitionMaxBytes }: FetchSizes,
  ): Promise<LaneAnswer | undefined> {
    const exchange = await this.#connect();
    const { isolation, rack, maxWaitMs, minBytes } = this.#settings;
    const hasIds = partitions.every(({ topicId = ZERO_UUID }) => topicId !== ZERO_UUID);
    const offered = exchange.versions.get(fetchApi.key)?.max ?? 0;
    const usesIds = hasIds && offered >= VERSIONS_BY_ID.min;
    const asked = partitions.map((one) => ({
      topic: one.topic,
      topicId: one.topicId ?? ZERO_UUID,
      partition: one.partition,
      fetchOffset: one.fetchOffset,
      currentLeaderEpoch: one.leaderEpoch,
      partitionMaxBytes,
    }));
    const part = this.#session.next(asked, usesIds);
    const isWhole = part.sessionEpoch === INITIAL_EPOCH;
    const options = { signal: this.#signal };
    const body = { maxWaitMs, minBytes, maxBytes, isolationLevel: levelOf(isolation), rackId: rack, ...part };
    const versions = usesIds ? VERSIONS_BY_ID : VERSIONS_BY_NAME;
    const answer = await exchange.request(fetchApi, versions, body, options);
    if (!this.#session.answered(answer.errorCode, answer.sessionId)) {
      if (SESSION_ERRORS.has(answer.errorCode) && !isWhole) return undefined;
      throw new BrokerError(answer.errorCode, `a fetch from broker ${this.nodeId}`);
    }
    const answered = answerBy(answer, usesIds);
    const { buffer } = answered;
    const giveBack = () => {
      if (buffer !== undefined) exchange.giveBack(buffer);
    };
    return { ...answered, isWhole, giveBack, nodeId: this.nodeId };
  }

  close(): void {
    this.#exchange?.close();
  }

  async #connect(): Promise<Exchange> {
    if (this.#exchange !== undefined && !this.#exchange.isClosed) return this.#exchange;
    this.#session.restart();
    const opening = this.#cluster.open(this.nodeId);
    opening.then(
      (exchange) => {
        if (this.#signal.aborted) exchange.close();
      },
      () => {},
    );
    this.#exchange = await abortable(opening, this.#signal);
    return this.#exchange;
  }
}

function answerBy({ responses, nodeEndpoints, throttleTimeMs }: FetchResponse, usesIds: boolean) {
  const found = new Map<string, PartitionAnswer>();
  let recordBytes = 0;
  let buffer: ArrayBufferLike | undefined;
  for (const { topic, topicId, partitions } of responses) {
    for (const one of partitions) {
      found.set(keyOf({ topic, topicId, partition: one.partitionIndex }, usesIds), one);
      recordBytes += one.records?.length ?? 0;
      if (recordBytes > 0) buffer ??= one.records?.buffer;
    }
  }
  return {
    answerOf: (at: FetchPartition) => found.get(keyOf(at, usesIds)),
    nodeEndpoints,
    recordBytes,
    buffer,
    isThrottled: throttleTimeMs > 0,
  };
}
