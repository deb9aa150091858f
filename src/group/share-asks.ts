import { ErrorCode } from '../model/errors.ts';
import type { Uuid } from '../model/ids.ts';
import type { Answer, Ask } from '../model/machine.ts';
import { initializeShareGroupStateApi } from '../wire/apis/83-initialize-share-group-state.ts';
import { deleteShareGroupStateApi } from '../wire/apis/86-delete-share-group-state.ts';
import type { Turn } from './context.ts';

/** One partition's state, and how it is to begin. */
export interface StatePart {
  topicId: Uuid;
  partition: number;
  stateEpoch?: number;
  startOffset?: number;
}

export interface StateResult {
  topicId: Uuid;
  partition: number;
  errorCode: number;
  errorMessage: string | null;
}

export type StatesDone = (turn: Turn, results: readonly StateResult[]) => void;

/** Several share coordinators that are asked for one thing. */
interface Undertaking {
  waiting: number;
  results: StateResult[];
  done: StatesDone;
}

interface Results {
  results: readonly { topicId: Uuid; partitions: readonly Omit<StateResult, 'topicId'>[] }[];
}

/** What a group's coordinator wants of the share coordinators: states that are made, or go. */
export class ShareAsks {
  readonly #coordinatorOf: (key: { groupId: string; topicId: Uuid; partition: number }) => string | undefined;
  readonly #open = new Map<Ask, Undertaking>();

  constructor(
    coordinatorOf: (key: { groupId: string; topicId: Uuid; partition: number }) => string | undefined,
  ) {
    this.#coordinatorOf = coordinatorOf;
  }

  /** @param done called once all have answered, in a later turn; in this one when nobody is to be asked. */
  begin(
    turn: Turn,
    { groupId, kind, parts }: { groupId: string; kind: 'initialize' | 'delete'; parts: readonly StatePart[] },
    done: StatesDone,
  ): void {
    const undertaking: Undertaking = { waiting: 0, results: [], done };
    const byShard = new Map<string, StatePart[]>();
    for (const part of parts) {
      const { topicId, partition } = part;
      const shard = this.#coordinatorOf({ groupId, topicId, partition });
      const errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE;
      if (shard === undefined)
        undertaking.results.push({ topicId, partition, errorCode, errorMessage: null });
      else byShard.set(shard, [...(byShard.get(shard) ?? []), part]);
    }
    const api = kind === 'initialize' ? initializeShareGroupStateApi : deleteShareGroupStateApi;
    for (const [shard, some] of byShard) {
      const topics = some.map(({ topicId, ...partition }) => ({ topicId, partitions: [partition] }));
      const ask: Ask = { shard, apiKey: api.key, apiVersion: 0, body: { groupId, topics } };
      this.#open.set(ask, undertaking);
      undertaking.waiting++;
      turn.asks.push(ask);
    }
    if (undertaking.waiting === 0) done(turn, undertaking.results);
  }

  isAsk(ask: Ask): boolean {
    return this.#open.has(ask);
  }

  /** @returns false when it is to be asked again. */
  answered(turn: Turn, ask: Ask, { body }: Answer): boolean {
    const undertaking = this.#open.get(ask);
    if (undertaking === undefined) return true;
    if (body === undefined) return false;
    this.#open.delete(ask);
    for (const { topicId, partitions } of (body as Results).results)
      for (const each of partitions) undertaking.results.push({ ...each, topicId });
    undertaking.waiting--;
    if (undertaking.waiting === 0) undertaking.done(turn, undertaking.results);
    return true;
  }
}
