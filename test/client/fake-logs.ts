import { at } from '../../src/model/assert.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { fetchApi, type FetchRequest, type FetchResponse } from '../../src/wire/apis/01-fetch.ts';
import { listOffsetsApi, type ListOffsetsRequest } from '../../src/wire/apis/02-list-offsets.ts';
import {
  offsetForLeaderEpochApi,
  type OffsetForLeaderEpochRequest,
} from '../../src/wire/apis/23-offset-for-leader-epoch.ts';
import { BatchHeader } from '../../src/records/header.ts';
import type { Api } from '../../src/wire/schema.ts';
import { type FakeCluster, type FakeRequest, type FakeService, TOPIC } from './fake-cluster.ts';
import { FakeLog } from './fake-log.ts';

type Wanted = FetchRequest['topics'][number]['partitions'][number] & { topicId: string };
type Answer = Partial<FetchResponse['responses'][number]['partitions'][number]> & {
  partitionIndex: number;
  errorCode: number;
  topicId?: string;
};

export interface FakeLogsOptions {
  /** How often a session is not known any more. */
  forgetRatio?: number;
  /** How often a bit changes on its way. */
  flipRatio?: number;
  /** As brokers before KIP-74: a batch that is too large is cut. */
  cuts?: boolean;
  /** Where the leader sends readers of a rack. */
  replicaOf?: (rack: string) => number | undefined;
  /** The high watermark that is told, where it is another. */
  tellEnd?: (endOffset: number) => number;
  /** The newest Fetch there is. */
  fetchMax?: number;
  /** An answer instead of reading. */
  refuse?: (node: number, partition: number, wanted: Wanted) => number | undefined;
}

interface Session {
  epoch: number;
  /** By topic id, where there are any, and number. */
  partitions: Map<string, Wanted>;
  /** The high watermarks that were told. */
  told: Map<number, number>;
}

const MAGIC = 16;

interface Told {
  sessionId: number;
  partitions: Wanted[];
  told: Map<number, number>;
}

/** What is fetched of a fake cluster's topic, in its virtual time; requests wait for records as with a real broker. */
export class FakeLogs implements FakeService {
  readonly apis: readonly Api[];
  readonly logs: FakeLog[];
  /** Fetch requests, as they came. */
  readonly fetches: {
    node: number;
    version: number;
    partitions: { partition: number; fetchOffset: number }[];
    sessionEpoch: number;
    maxBytes: number;
    sentBytes: number;
  }[] = [];
  /** Bits that changed on their way. */
  flips = 0;
  readonly options: FakeLogsOptions;
  readonly #cluster: FakeCluster;
  readonly #sessions = new Map<string, Session>();
  readonly #waiting = new Set<() => void>();
  #sessionIds = 0;

  constructor(cluster: FakeCluster, options: FakeLogsOptions = {}) {
    this.#cluster = cluster;
    this.options = options;
    this.logs = cluster.leaders.map(() => new FakeLog());
    const { fetchMax: max = fetchApi.versions.max } = options;
    const fetch = { ...fetchApi, versions: { ...fetchApi.versions, max } } as Api;
    this.apis = [fetch, listOffsetsApi, offsetForLeaderEpochApi];
    cluster.services.push(this);
  }

  log(partition = 0): FakeLog {
    return at(this.logs, partition);
  }

  /** Readers that wait look again. */
  wake(): void {
    for (const look of this.#waiting) look();
  }

  /** The leader moves, and begins an epoch. */
  moveLeader(partition: number): void {
    this.#cluster.moveLeader(partition);
    this.log(partition).epoch = at(this.#cluster.leaders, partition).epoch;
    this.wake();
  }

  /** As many logs as there are partitions. */
  grow(): void {
    while (this.logs.length < this.#cluster.leaders.length) this.logs.push(new FakeLog());
  }

  /** The topic is deleted and made again. */
  remake(topicId: string): void {
    this.#cluster.topicId = topicId;
    this.logs.forEach((_, partition) => (this.logs[partition] = new FakeLog()));
    for (const [partition, { epoch }] of this.#cluster.leaders.entries()) this.log(partition).epoch = epoch;
    this.wake();
  }

  answer(request: FakeRequest, reply: (body: unknown) => void): void {
    if (request.api.key === fetchApi.key) this.#fetch(request, reply);
    else if (request.api === listOffsetsApi) reply(this.#listOffsets(request));
    else reply(this.#endOfEpochs(request));
  }

  #fetch({ node, version, body }: FakeRequest, reply: (body: unknown) => void): void {
    const request = body as FetchRequest;
    const wanted = this.#wantedBy(node, request);
    if (typeof wanted === 'number') return reply({ errorCode: wanted, sessionId: 0, responses: [] });
    const { scheduler } = this.#cluster;
    const untilMs = scheduler.nowMs + request.maxWaitMs;
    let isOver = false;
    const look = () => {
      if (isOver) return;
      const answers = this.#answers({ node, version, request }, wanted.partitions);
      const bytes = answers.reduce((sum, { records }) => sum + (records?.length ?? 0), 0);
      const isDue = scheduler.nowMs >= untilMs || bytes >= request.minBytes;
      if (!isDue && answers.every(isDull)) return;
      isOver = true;
      this.#waiting.delete(look);
      const { sessionEpoch, maxBytes } = request;
      this.fetches.push({
        node,
        version,
        partitions: request.topics.flatMap(({ partitions }) => partitions),
        sessionEpoch,
        maxBytes,
        sentBytes: bytes,
      });
      reply(
        this.#fetched(
          wanted.sessionId,
          sessionEpoch > 0 ? answers.filter((one) => isNews(one, wanted.told)) : answers,
        ),
      );
    };
    this.#waiting.add(look);
    look();
    if (!isOver) scheduler.schedule(untilMs, 'fetch', look);
  }

  /** What a session stands for (KIP-227), or why there is none. */
  #wantedBy(node: number, request: FetchRequest): Told | number {
    const { sessionId, sessionEpoch, topics, forgottenTopicsData } = request;
    const named = topics.flatMap(({ topicId, partitions }) => partitions.map((one) => ({ ...one, topicId })));
    if (sessionEpoch <= 0) {
      this.#sessions.delete(`${node}/${sessionId}`);
      const id = ++this.#sessionIds;
      if (sessionEpoch < 0) return { sessionId: 0, partitions: named, told: new Map() };
      this.#sessions.set(`${node}/${id}`, {
        epoch: 1,
        told: new Map(),
        partitions: new Map(named.map((one) => [keyOf(one), one])),
      });
      return { sessionId: id, partitions: named, told: new Map() };
    }
    const key = `${node}/${sessionId}`;
    if (this.#cluster.random.chance(this.options.forgetRatio ?? 0)) this.#sessions.delete(key);
    const session = this.#sessions.get(key);
    if (session === undefined) return ErrorCode.FETCH_SESSION_ID_NOT_FOUND;
    if (session.epoch !== sessionEpoch) return ErrorCode.INVALID_FETCH_SESSION_EPOCH;
    session.epoch++;
    for (const one of named) session.partitions.set(keyOf(one), one);
    for (const { topicId, partitions } of forgottenTopicsData)
      for (const partition of partitions) session.partitions.delete(keyOf({ topicId, partition }));
    return { sessionId, partitions: [...session.partitions.values()], told: session.told };
  }

  #answers(
    asked: { node: number; version: number; request: FetchRequest },
    partitions: readonly Wanted[],
  ): Answer[] {
    let leftBytes = asked.request.maxBytes;
    return partitions.map((wanted) => {
      const answer = this.#read(asked, wanted, leftBytes);
      leftBytes -= answer.records?.length ?? 0;
      return { ...answer, topicId: wanted.topicId };
    });
  }

  #read(
    { node, version, request }: { node: number; version: number; request: FetchRequest },
    wanted: Wanted,
    leftBytes: number,
  ): Answer {
    const { partition: partitionIndex, fetchOffset, currentLeaderEpoch, partitionMaxBytes } = wanted;
    const refusal = this.options.refuse?.(node, partitionIndex, wanted);
    if (refusal !== undefined) return { partitionIndex, errorCode: refusal };
    const errorCode = this.#cluster.topicErrorCode;
    if (errorCode !== 0) return { partitionIndex, errorCode };
    if (version >= 13 && wanted.topicId !== this.#cluster.topicId)
      return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_ID };
    const leader = at(this.#cluster.leaders, partitionIndex);
    const replica = request.rackId === '' ? undefined : this.options.replicaOf?.(request.rackId);
    if (node !== leader.id && node !== replica) return this.#notLeader(partitionIndex, version);
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch !== leader.epoch)
      return {
        partitionIndex,
        errorCode:
          currentLeaderEpoch < leader.epoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH,
      };
    const log = this.log(partitionIndex);
    const diverging = divergence(log, wanted);
    if (diverging !== undefined) return { partitionIndex, errorCode: 0, divergingEpoch: diverging };
    if (fetchOffset < log.startOffset || fetchOffset > log.endOffset)
      return { partitionIndex, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE };
    const told = {
      partitionIndex,
      errorCode: 0,
      highWatermark: this.options.tellEnd?.(log.endOffset) ?? log.endOffset,
      lastStableOffset: log.lastStableOffset,
    };
    if (replica !== undefined && node !== replica) return { ...told, preferredReadReplica: replica };
    const endOffset = request.isolationLevel === 1 ? log.lastStableOffset : log.endOffset;
    const maxBytes = Math.min(partitionMaxBytes, leftBytes);
    // The first batch of an answer comes whole (KIP-74).
    const isFirst = leftBytes === request.maxBytes;
    const records = this.#onTheWay(
      log.read(fetchOffset, endOffset, { maxBytes, isFirst }),
      partitionMaxBytes,
    );
    const abortedTransactions = log.transactions.filter(
      ({ isAborted, endOffset: end }) => isAborted && (end ?? 0) > fetchOffset,
    );
    return { ...told, records, abortedTransactions };
  }

  #onTheWay(records: Uint8Array, partitionMaxBytes: number): Uint8Array {
    const { random } = this.#cluster;
    const { flipRatio = 0, cuts = false } = this.options;
    if (records.length === 0) return records;
    const sent = cuts ? records.slice(0, partitionMaxBytes) : records.slice();
    // What lies before the magic has no checksum in Kafka's format.
    const place = MAGIC + random.int(new BatchHeader(records).sizeBytes - MAGIC);
    if (place < sent.length && random.chance(flipRatio)) {
      sent[place] = (sent[place] ?? 0) ^ (1 << random.int(8));
      this.flips++;
    }
    return sent;
  }

  /** Some say who leads instead (KIP-951), some do not. */
  #notLeader(partitionIndex: number, version: number): Answer {
    const { id: leaderId, epoch: leaderEpoch } = at(this.#cluster.leaders, partitionIndex);
    const hint =
      version >= 12 && this.#cluster.random.chance(0.5) ? { currentLeader: { leaderId, leaderEpoch } } : {};
    return { partitionIndex, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, ...hint };
  }

  #fetched(sessionId: number, partitions: readonly Answer[]) {
    const responses = [...Map.groupBy(partitions, ({ topicId }) => topicId)].map(([topicId, some]) => ({
      topic: TOPIC,
      topicId,
      partitions: some.map(filled),
    }));
    return { errorCode: 0, sessionId, responses, nodeEndpoints: [] };
  }

  #listOffsets({ node, body }: FakeRequest) {
    const { topics, isolationLevel } = body as ListOffsetsRequest;
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => {
          const errorCode = this.#errorAt(node, partitionIndex);
          if (errorCode !== 0) return { partitionIndex, errorCode };
          const log = this.log(partitionIndex);
          const { offset, epoch: leaderEpoch } = log.offsetAt(
            timestamp,
            isolationLevel === 1 ? log.lastStableOffset : log.endOffset,
          );
          return { partitionIndex, errorCode, offset, leaderEpoch, timestamp: -1 };
        }),
      })),
    };
  }

  #endOfEpochs({ node, body }: FakeRequest) {
    const { topics } = body as OffsetForLeaderEpochRequest;
    return {
      topics: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, leaderEpoch }) => {
          const errorCode = this.#errorAt(node, partition);
          return errorCode === 0
            ? { partition, errorCode, ...this.log(partition).endOfEpoch(leaderEpoch) }
            : { partition, errorCode };
        }),
      })),
    };
  }

  #errorAt(node: number, partition: number): number {
    if (this.#cluster.topicErrorCode !== 0) return this.#cluster.topicErrorCode;
    return at(this.#cluster.leaders, partition).id === node ? 0 : ErrorCode.NOT_LEADER_OR_FOLLOWER;
  }
}

function keyOf({ topicId, partition }: { topicId: string; partition: number }): string {
  return `${topicId}/${partition}`;
}

/** Where the log of a reader who says what it has read parts from this one (KIP-595). */
function divergence(log: FakeLog, { lastFetchedEpoch, fetchOffset }: Wanted): Answer['divergingEpoch'] {
  if (lastFetchedEpoch < 0) return undefined;
  const { leaderEpoch: epoch, endOffset } = log.endOfEpoch(lastFetchedEpoch);
  return epoch < lastFetchedEpoch || endOffset < fetchOffset ? { epoch, endOffset } : undefined;
}

function isDull({ errorCode, preferredReadReplica = -1, divergingEpoch }: Answer): boolean {
  return errorCode === 0 && preferredReadReplica < 0 && divergingEpoch === undefined;
}

function isNews(answer: Answer, told: Map<number, number>): boolean {
  const { partitionIndex, highWatermark = -1 } = answer;
  const isTold = told.get(partitionIndex) === highWatermark;
  told.set(partitionIndex, highWatermark);
  return !isTold || !isDull(answer) || (answer.records?.length ?? 0) > 0;
}

function filled(answer: Answer) {
  return { highWatermark: -1, abortedTransactions: [], records: new Uint8Array(0), ...answer };
}
