import type { PartitionLog } from '../log/partition-log.ts';
import { type AppendResult, type Refused, refused } from '../log/append.ts';
import { ErrorCode } from '../model/errors.ts';
import type { ShardRequest } from '../ports/shard-link.ts';
import { BatchHeader, HEADER_SIZE, isTransactional } from '../records/header.ts';
import type { ProduceRequest, ProduceResponse } from '../wire/apis/00-produce.ts';
import type { Shard } from './shard.ts';
import { Verifications } from './verifications.ts';

const NOTHING = new Uint8Array(0);

/** Produce requests of one partition, in the order they came. */
export class Appends {
  readonly #shard: Shard;
  readonly #log: PartitionLog;
  readonly #verifications: Verifications;
  /** Set while the batch of the first is being repacked (`compression.type`): later ones wait for it. */
  #repacking: ShardRequest[] | undefined;

  constructor(shard: Shard, log: PartitionLog) {
    this.#shard = shard;
    this.#log = log;
    this.#verifications = new Verifications(shard, log, ({ request, records }, refusal) => {
      if (refusal === undefined) this.#append(request, records);
      else this.#answer(request, refusal);
    });
  }

  produce(request: ShardRequest): void {
    if (this.#repacking !== undefined) {
      this.#repacking.push(request);
      return;
    }
    const records = recordsOf(request);
    if (!this.#log.needsPrepare) return this.#verify(request, records);
    const prepared = this.#log.prepare(records);
    if (!(prepared instanceof Promise)) return this.#appendPrepared(request, prepared);
    this.#repacking = [request];
    void this.#appendLater(request, prepared);
  }

  async #appendLater(request: ShardRequest, prepared: Promise<Uint8Array | Refused>): Promise<void> {
    const bytes = await prepared;
    if (this.#shard.log !== this.#log) return;
    const [, ...behind] = this.#repacking ?? [];
    this.#repacking = undefined;
    this.#appendPrepared(request, bytes);
    for (const next of behind) this.produce(next);
  }

  /** A marker of that producer is about to be written. */
  ended(producerId: number): void {
    this.#verifications.ended(producerId);
  }

  /** The shard is going. @returns who waits for a coordinator, or for a batch to be repacked, in order. */
  stop(): ShardRequest[] {
    const waiting = [...this.#verifications.stop(), ...(this.#repacking ?? [])];
    this.#repacking = undefined;
    return waiting;
  }

  #appendPrepared(request: ShardRequest, prepared: Uint8Array | Refused): void {
    if (prepared instanceof Uint8Array) this.#verify(request, prepared);
    else this.#answer(request, prepared);
  }

  #verify(request: ShardRequest, records: Uint8Array): void {
    if (isTransactional(records) && !this.#verifications.admit({ request, records })) return;
    this.#append(request, records);
  }

  #append(request: ShardRequest, records: Uint8Array): void {
    const result =
      this.#tooFewReplicas(request) ??
      this.#refusalOf(records) ??
      this.#log.append(records, {
        leaderEpoch: this.#shard.leaderEpoch,
        origin: 'client',
        nowMs: this.#shard.parts.clock.now(),
        apiVersion: request.apiVersion,
      });
    if (result.type === 'appended') {
      const batch = { records: result.lastOffset - result.baseOffset + 1, bytes: records.length };
      this.#shard.parts.meter?.appended(this.#log.name.topic, batch);
      this.#shard.commit(result.writes);
    }
    this.#answer(request, result);
  }

  /** There is one replica, this one; who asks for fewer acknowledgements is not concerned. */
  #tooFewReplicas({ body }: ShardRequest): Refused | undefined {
    const { minInsyncReplicas } = this.#shard.spec.config();
    if (minInsyncReplicas <= 1 || (body as ProduceRequest).acks !== -1) return undefined;
    const message = `min.insync.replicas is ${minInsyncReplicas}, and 1 replica is in sync`;
    return refused(ErrorCode.NOT_ENOUGH_REPLICAS, message);
  }

  /** What the log itself has nothing against. */
  #refusalOf(records: Uint8Array): Refused | undefined {
    const { refusals, parts } = this.#shard;
    if (refusals.isEmpty || records.length < HEADER_SIZE) return undefined;
    const header = new BatchHeader(records);
    if (!refusals.precede(header, this.#log.producers, parts.clock.now())) return undefined;
    const message = `a batch before sequence ${header.baseSequence} of producer ${header.producerId} was refused`;
    return refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, message);
  }

  #answer({ from, body }: ShardRequest, result: AppendResult): void {
    const topic = (body as ProduceRequest).topicData[0];
    const index = topic?.partitionData[0]?.index ?? 0;
    const partitionResponse =
      result.type === 'refused' ? refusedResponse(index, result) : appendedResponse(index, result);
    const response: ProduceResponse = {
      responses: [
        { name: topic?.name ?? '', topicId: topic?.topicId ?? '', partitionResponses: [partitionResponse] },
      ],
      throttleTimeMs: 0,
      nodeEndpoints: [],
    };
    // A refusal too waits for all it has seen: what it contradicts may yet be lost.
    const seen = result.type === 'refused' ? this.#log.logEndOffset : result.lastOffset + 1;
    this.#shard.replyAfter(seen, { to: from, body: response });
  }
}

type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number];

export function recordsOf(request: ShardRequest): Uint8Array {
  return (request.body as ProduceRequest).topicData[0]?.partitionData[0]?.records ?? NOTHING;
}

const NO_LEADER_HINT = { leaderId: -1, leaderEpoch: -1 };

function appendedResponse(index: number, at: Exclude<AppendResult, Refused>): PartitionResponse {
  return {
    index,
    errorCode: ErrorCode.NONE,
    baseOffset: at.baseOffset,
    logAppendTimeMs: at.logAppendTimeMs,
    logStartOffset: at.logStartOffset,
    recordErrors: [],
    errorMessage: null,
    currentLeader: NO_LEADER_HINT,
  };
}

function refusedResponse(index: number, refused: Refused): PartitionResponse {
  return {
    index,
    errorCode: refused.errorCode,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: refused.recordErrors.map(({ batchIndex, message }) => ({
      batchIndex,
      batchIndexErrorMessage: message,
    })),
    errorMessage: refused.message,
    currentLeader: NO_LEADER_HINT,
  };
}
