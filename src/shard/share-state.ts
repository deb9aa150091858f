import { ErrorCode } from '../model/errors.ts';
import type { Answer, Ask } from '../model/machine.ts';
import { sharePartitionKeyOf, type StateBatch, type StateWrite } from '../share/index.ts';
import {
  readShareGroupStateApi,
  type ReadShareGroupStateRequest,
  type ReadShareGroupStateResponse,
} from '../wire/apis/84-read-share-group-state.ts';
import {
  writeShareGroupStateApi,
  type WriteShareGroupStateRequest,
  type WriteShareGroupStateResponse,
} from '../wire/apis/85-write-share-group-state.ts';
import type { Shard } from './shard.ts';

interface Reading {
  /** Nobody waits for it any more: it is not asked again. */
  isWanted: () => boolean;
  /** Undefined when it is not wanted any more. */
  refused: (errorCode: number | undefined) => void;
  found: (state: { stateEpoch: number; startOffset: number; stateBatches: readonly StateBatch[] }) => void;
}

/** What the share coordinator of a group keeps of one log, as the log's leader asks for it and changes it. */
export class ShareState {
  readonly #shard: Shard;
  readonly #groupId: string;
  #callOff: () => void = () => {};

  constructor(shard: Shard, groupId: string) {
    this.#shard = shard;
    this.#groupId = groupId;
  }

  /** Undefined while there is no topic for it. */
  get #coordinator(): string | undefined {
    const { topicId, partition } = this.#shard.spec.name;
    const key = sharePartitionKeyOf({ groupId: this.#groupId, topicId, partition });
    return this.#shard.spec.shareCoordinator?.(key);
  }

  /** Asks until there is a state: the group's coordinator makes the first one when it gives members the partition. */
  read({ isWanted, refused, found }: Reading): void {
    const shard = this.#coordinator;
    if (shard === undefined) return refused(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const { topicId, partition } = this.#shard.spec.name;
    const { leaderEpoch } = this.#shard;
    const body: ReadShareGroupStateRequest = {
      groupId: this.#groupId,
      topics: [{ topicId, partitions: [{ partition, leaderEpoch }] }],
    };
    this.#ask({ shard, apiKey: readShareGroupStateApi.key, apiVersion: 0, body }, (answer) => {
      const result = (answer.body as ReadShareGroupStateResponse | undefined)?.results[0]?.partitions[0];
      if (result?.errorCode === ErrorCode.NONE) found(result);
      else if (isLost(result?.errorCode)) refused(ErrorCode.NOT_LEADER_OR_FOLLOWER);
      else if (isWanted()) return false;
      else refused(undefined);
      return true;
    });
  }

  /** @param done called with 0 once it is stored, or with what keeps it from ever being. */
  write(stateEpoch: number, write: StateWrite, done: (errorCode: number) => void): void {
    const shard = this.#coordinator;
    if (shard === undefined) return done(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const { topicId, partition } = this.#shard.spec.name;
    const { leaderEpoch } = this.#shard;
    const body: WriteShareGroupStateRequest = {
      groupId: this.#groupId,
      topics: [{ topicId, partitions: [{ partition, stateEpoch, leaderEpoch, ...write }] }],
    };
    const { key: apiKey, versions } = writeShareGroupStateApi;
    this.#ask({ shard, apiKey, apiVersion: versions.max, body }, (answer) => {
      const code = (answer.body as WriteShareGroupStateResponse | undefined)?.results[0]?.partitions[0]
        ?.errorCode;
      // The shard cannot serve: the same is asked again.
      if (code === undefined) return false;
      done(toldCode(code));
      return true;
    });
  }

  #ask(ask: Ask, takes: (answer: Answer) => boolean): void {
    this.#callOff = this.#shard.parts.asks.ask(ask, takes);
  }

  stop(): void {
    this.#callOff();
  }
}

/** Another leads the log by now, or it is gone. */
function isLost(errorCode: number | undefined): boolean {
  return errorCode === ErrorCode.FENCED_LEADER_EPOCH || errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
}

/** A state that is not there any more was its group's, which is deleted. */
function toldCode(errorCode: number): number {
  if (isLost(errorCode)) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
  return errorCode === ErrorCode.INVALID_REQUEST ? ErrorCode.FENCED_STATE_EPOCH : errorCode;
}
