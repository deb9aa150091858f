import type { PartitionLog } from '../log/partition-log.ts';
import { ErrorCode } from '../model/errors.ts';
import type { Address } from '../model/machine.ts';
import type { ShardRequest } from '../ports/shard-link.ts';
import type { ShareFetchRequest, ShareFetchResponse } from '../wire/apis/78-share-fetch.ts';
import type { ShareAcknowledgeRequest, ShareAcknowledgeResponse } from '../wire/apis/79-share-acknowledge.ts';
import { NO_RECORDS } from '../wire/fetched.ts';
import { type Delivered, SharedLog } from './shared-log.ts';
import type { Shard } from './shard.ts';

/** The epoch of a share session that ends. */
const FINAL_EPOCH = -1;

/** What share groups read of a log, each by itself (KIP-932): one {@link SharedLog} a group that has members here. */
export class SharePartitions {
  readonly #shard: Shard;
  readonly #log: PartitionLog;
  readonly #groups = new Map<string, SharedLog>();

  constructor(shard: Shard, log: PartitionLog) {
    this.#shard = shard;
    this.#log = log;
  }

  /** Answers once there is something, or at once where there is no time to wait; a gateway that gives up cancels. */
  fetch({ from, body, credit }: ShardRequest): void {
    const request = body as ShareFetchRequest;
    const { groupId, memberId, maxRecords, maxWaitMs } = request;
    const group = this.#groupOf(groupId ?? '');
    group.fetch({
      from,
      memberId: memberId ?? '',
      maxRecords: Math.max(1, maxRecords),
      minBytes: request.minBytes,
      maxBytes: credit ?? request.maxBytes,
      acquireMode: request.shareAcquireMode,
      mayWait: maxWaitMs > 0,
      answer: (delivered) => this.#answerFetch(from, request, delivered),
    });
    this.#dropIfIdle(group);
  }

  #answerFetch(
    to: Address,
    { topics }: ShareFetchRequest,
    { errorCode = ErrorCode.NONE, records = NO_RECORDS, acquired = [], lockTimeoutMs }: Delivered,
  ): void {
    const topic = topics[0];
    const body: ShareFetchResponse = {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      acquisitionLockTimeoutMs: lockTimeoutMs,
      responses: [
        {
          topicId: topic?.topicId ?? '',
          partitions: [
            {
              partitionIndex: topic?.partitions[0]?.partitionIndex ?? -1,
              errorCode,
              errorMessage: null,
              acknowledgeErrorCode: ErrorCode.NONE,
              acknowledgeErrorMessage: null,
              currentLeader: { leaderId: -1, leaderEpoch: -1 },
              records,
              acquiredRecords: acquired,
            },
          ],
        },
      ],
      nodeEndpoints: [],
    };
    this.#shard.parts.reply({ to, body });
  }

  /** Answers once what it says is stored. With the last epoch all that its member has is released. */
  acknowledge({ from, body }: ShardRequest): void {
    const { groupId, memberId, shareSessionEpoch, topics } = body as ShareAcknowledgeRequest;
    const topic = topics[0];
    const partition = topic?.partitions[0];
    const batches = partition?.acknowledgementBatches ?? [];
    const group = this.#groupOf(groupId ?? '');
    const isLast = shareSessionEpoch === FINAL_EPOCH;
    group.acknowledge({ memberId: memberId ?? '', batches, isLast }, ({ errorCode, lockTimeoutMs }) => {
      const partitionIndex = partition?.partitionIndex ?? -1;
      const answered = { partitionIndex, errorCode, errorMessage: null };
      const currentLeader = { leaderId: -1, leaderEpoch: -1 };
      const response: ShareAcknowledgeResponse = {
        throttleTimeMs: 0,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        acquisitionLockTimeoutMs: lockTimeoutMs,
        responses: [{ topicId: topic?.topicId ?? '', partitions: [{ ...answered, currentLeader }] }],
        nodeEndpoints: [],
      };
      this.#shard.parts.reply({ to: from, body: response });
      this.#dropIfIdle(group);
    });
    this.#dropIfIdle(group);
  }

  #groupOf(groupId: string): SharedLog {
    const known = this.#groups.get(groupId);
    if (known !== undefined) return known;
    const group = new SharedLog(this.#shard, this.#log, groupId);
    this.#groups.set(groupId, group);
    return group;
  }

  #dropIfIdle(group: SharedLog): void {
    if (!group.isIdle || this.#groups.get(group.groupId) !== group) return;
    this.#groups.delete(group.groupId);
    group.stop();
  }

  /** There is more that may be read. */
  advanced(): void {
    for (const group of this.#groups.values()) group.serve();
  }

  /** @returns whether that fetch was here. */
  cancel(from: Address): boolean {
    for (const group of this.#groups.values()) if (group.cancel(from)) return true;
    return false;
  }

  /** The log is gone. @returns who was still to be answered. */
  stop(): Address[] {
    const waiting = [...this.#groups.values()].flatMap((group) => group.stop());
    this.#groups.clear();
    return waiting;
  }
}
