import { ErrorCode } from '../../../model/errors.ts';
import type { Millis, Offset } from '../../../model/ids.ts';
import { type NewRecord, buildBatch } from '../../../records/builder.ts';
import { produceApi } from '../../../wire/apis/00-produce.ts';
import { findCoordinatorApi } from '../../../wire/apis/10-find-coordinator.ts';
import { initProducerIdApi } from '../../../wire/apis/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../../wire/apis/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnApi } from '../../../wire/apis/25-add-offsets-to-txn.ts';
import { endTxnApi } from '../../../wire/apis/26-end-txn.ts';
import { txnOffsetCommitApi } from '../../../wire/apis/28-txn-offset-commit.ts';
import { Broken } from '../broken.ts';
import { type Client, only } from '../client.ts';
import { type World, answerOf, isTransient } from '../world.ts';
import type { Identity, TxnLedger, TxnLog } from './ledger.ts';

/** `again` is all that is known, `fenced` is for good, `refused` ends this transaction. */
export type Told = 'done' | 'again' | 'fenced' | 'refused';

/** Of the virtual minute some transactions take longer. */
export const TRANSACTION_TIMEOUT_MS = 4_000;
const TRANSACTION_KEY = 1;
const MANY_KEYS_VERSION = 4;
const ATTEMPTS_MAX = 40;
/** The last versions of clients of transactions v1, which say what they add, and the first ones of v2. */
const V1 = { produce: 11, addPartitions: 3, addOffsets: 3, end: 4, commit: 4 };
const V2 = { produce: 12, end: 5, commit: 5 };

const AGAIN: ReadonlySet<number> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.UNSTABLE_OFFSET_COMMIT,
]);
const FENCED: ReadonlySet<number> = new Set([ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH]);
const REFUSED: ReadonlySet<number> = new Set([
  ErrorCode.INVALID_TXN_STATE,
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.TRANSACTION_ABORTABLE,
]);

/** @throws Broken for what no client of transactions should hear. */
export function toldOf(errorCode: number, what: string): Told {
  if (errorCode === ErrorCode.NONE) return 'done';
  if (isTransient(errorCode) || AGAIN.has(errorCode)) return 'again';
  if (FENCED.has(errorCode)) return 'fenced';
  if (REFUSED.has(errorCode)) return 'refused';
  throw new Broken('I17', `${what} gives ${errorCode}`);
}

/** One request as a client makes it: how it is named, and what its answer says. */
type Ask = () => Promise<number | undefined>;

/** A producer with a transactional id, of either version of transactions, that asks until it is told. */
export class TxnProducer {
  readonly transactionalId: string;
  readonly #world: World;
  readonly #client: Client;
  readonly #ledger: TxnLedger;
  /** Undefined when it has to begin anew. */
  identity: Identity | undefined;
  isV2 = true;
  #sequences = new Map<TxnLog, number>();
  /** With v1: what was said to be part of the transaction. */
  #added = new Set<string>();
  /** Some request of this transaction has no answer, and may yet arrive. */
  #isOpen = false;

  constructor(
    { world, client, ledger }: { world: World; client: Client; ledger: TxnLedger },
    transactionalId: string,
  ) {
    this.#world = world;
    this.#client = client;
    this.#ledger = ledger;
    this.transactionalId = transactionalId;
  }

  /** Takes the id over. @returns whether it could. */
  async init(): Promise<boolean> {
    const { random } = this.#client;
    this.isV2 = random.chance(0.6);
    this.#forget();
    this.#sequences.clear();
    const told = await this.#untilTold('InitProducerId', async () => {
      const answer = await answerOf(
        this.#client.request(initProducerIdApi, this.#client.versionOf(initProducerIdApi), {
          transactionalId: this.transactionalId,
          transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
        }),
      );
      if (answer === undefined) return undefined;
      const { errorCode, producerId, producerEpoch } = answer;
      if (errorCode === ErrorCode.NONE) this.identity = { producerId, producerEpoch };
      return errorCode;
    });
    if (told !== 'done' || this.identity === undefined) return false;
    this.#ledger.fenced(this.transactionalId, this.identity, this.#world.scheduler.nowMs);
    return true;
  }

  /** @param attempts a zombie does not insist. @returns where the records are; undefined where nobody says. */
  async write(
    log: TxnLog,
    values: readonly (string | Omit<NewRecord, 'timestamp'>)[],
    attempts = ATTEMPTS_MAX,
  ): Promise<{ told: Told; baseOffset: Offset | undefined }> {
    let baseOffset: Offset | undefined;
    const added = await this.#add(log.title, attempts, () => this.#addPartition(log));
    if (added !== 'done') return { told: added, baseOffset };
    const bytes = this.#batch(log, values);
    const { topic, partition } = log;
    const told = await this.#untilTold(
      `a batch for ${log.title}`,
      async () => {
        const version = this.isV2 ? V2.produce : Math.min(V1.produce, this.#client.versionOf(produceApi, 3));
        const partitionData = [{ index: partition, records: bytes.slice() }];
        const body = {
          transactionalId: this.transactionalId,
          acks: -1,
          timeoutMs: 2_000,
          topicData: [{ name: topic, partitionData }],
        };
        const answer = await answerOf(this.#client.request(produceApi, version, body));
        const answered = answer && only(only(answer.responses).partitionResponses);
        if (answered?.errorCode === ErrorCode.NONE) baseOffset = answered.baseOffset;
        return answered?.errorCode;
      },
      attempts,
    );
    return { told, baseOffset };
  }

  /** The group goes on there, if this transaction is committed. */
  async commitOffset(groupId: string, { topic, partition, title }: TxnLog, offset: Offset): Promise<Told> {
    const added = await this.#add(groupId, ATTEMPTS_MAX, () => this.#addOffsets(groupId));
    if (added !== 'done') return added;
    const partitions = [{ partitionIndex: partition, committedOffset: offset, committedMetadata: '' }];
    return this.#untilTold(`positions of ${groupId} in ${title}`, async () => {
      const version = this.isV2 ? V2.commit : Math.min(V1.commit, this.#client.versionOf(txnOffsetCommitApi));
      const topics = [{ name: topic, partitions }];
      const body = { ...this.#who(), groupId, topics };
      const answer = await answerOf(this.#client.request(txnOffsetCommitApi, version, body));
      const errorCode = answer && only(only(answer.topics).partitions).errorCode;
      if (errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE || errorCode === ErrorCode.NOT_COORDINATOR)
        await this.find(groupId, 0);
      return errorCode;
    });
  }

  /** @returns what it was told; `isSure` is false when an earlier try may have been done all the same. */
  async end(committed: boolean, attempts = ATTEMPTS_MAX): Promise<{ told: Told; isSure: boolean }> {
    let isSure = true;
    let next = this.identity;
    const told = await this.#untilTold(
      committed ? 'a commit' : 'an abort',
      async () => {
        const answer = await this.askEnd(this.#client, committed);
        if (answer !== undefined && this.isV2) next = answer;
        // A coordinator whose storage fails may have written down what it does not say.
        isSure &&= answer !== undefined && toldOf(answer.errorCode, 'an end') !== 'again';
        return answer?.errorCode;
      },
      attempts,
    );
    // With v1 a late request would count for the next transaction of its epoch.
    const goesOn = told === 'done' && (this.isV2 || !this.#isOpen);
    const { identity } = this;
    this.#forget();
    if (goesOn) this.identity = next;
    else if (told === 'fenced') this.identity = identity;
    return { told, isSure };
  }

  /** One EndTxn, as this producer is now. */
  askEnd(client: Client, committed: boolean, who = this.#who()) {
    const version = this.isV2 ? V2.end : Math.min(V1.end, client.versionOf(endTxnApi));
    return answerOf(client.request(endTxnApi, version, { ...who, committed }));
  }

  /** Asked for first: so the topics of coordinators are made. */
  async find(key: string, keyType: number): Promise<void> {
    const version = this.#client.versionOf(findCoordinatorApi, 1);
    const keys = version >= MANY_KEYS_VERSION ? { coordinatorKeys: [key] } : { key };
    await answerOf(this.#client.request(findCoordinatorApi, version, { ...keys, keyType }));
  }

  who(): Identity & { transactionalId: string } {
    return this.#who();
  }

  #who() {
    const { producerId, producerEpoch } = this.identity ?? { producerId: -1, producerEpoch: -1 };
    return { transactionalId: this.transactionalId, producerId, producerEpoch };
  }

  #forget(): void {
    this.identity = undefined;
    this.#added.clear();
    this.#isOpen = false;
    // With v1 the epoch stays, and sequences go on.
    if (this.isV2) this.#sequences.clear();
  }

  async #add(what: string, attempts: number, ask: Ask): Promise<Told> {
    if (this.isV2 || this.#added.has(what)) return 'done';
    const told = await this.#untilTold(`adding ${what}`, ask, attempts);
    if (told === 'done') this.#added.add(what);
    return told;
  }

  async #addPartition({ topic, partition }: TxnLog): Promise<number | undefined> {
    const version = Math.min(V1.addPartitions, this.#client.versionOf(addPartitionsToTxnApi));
    const { transactionalId, producerId, producerEpoch } = this.#who();
    const body = {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
    };
    const answer = await answerOf(this.#client.request(addPartitionsToTxnApi, version, body));
    return answer && only(only(answer.resultsByTopicV3AndBelow).resultsByPartition).partitionErrorCode;
  }

  async #addOffsets(groupId: string): Promise<number | undefined> {
    const version = Math.min(V1.addOffsets, this.#client.versionOf(addOffsetsToTxnApi));
    const answer = await answerOf(
      this.#client.request(addOffsetsToTxnApi, version, { ...this.#who(), groupId }),
    );
    return answer?.errorCode;
  }

  #batch(log: TxnLog, values: readonly (string | Omit<NewRecord, 'timestamp'>)[]): Uint8Array {
    const timestamp = this.#world.scheduler.now();
    const baseSequence = this.#sequences.get(log) ?? 0;
    this.#sequences.set(log, baseSequence + values.length);
    const { producerId, producerEpoch } = this.#who();
    return buildBatch(this.#world.kernels, {
      records: values.map((one) =>
        typeof one === 'string' ? { key: null, value: one, timestamp } : { ...one, timestamp },
      ),
      producerId,
      producerEpoch,
      baseSequence,
      isTransactional: true,
    });
  }

  async #untilTold(what: string, ask: Ask, attempts = ATTEMPTS_MAX): Promise<Told> {
    const { scheduler } = this.#world;
    const { random, name } = this.#client;
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await scheduler.sleep(random.between(20, 250));
      const sentAtMs = scheduler.nowMs;
      const { identity } = this;
      const errorCode = await ask();
      scheduler.note(`${name}, ${this.transactionalId}: ${what} is answered ${errorCode}`);
      if (errorCode === undefined) this.#isOpen = true;
      if (errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE || errorCode === ErrorCode.NOT_COORDINATOR)
        await this.find(this.transactionalId, TRANSACTION_KEY);
      const told = errorCode === undefined ? 'again' : toldOf(errorCode, what);
      if (told === 'done' && identity) this.#accepted(identity, sentAtMs, what);
      if (told === 'fenced' && identity) this.#fenced(identity);
      if (told !== 'again') return told;
    }
    return 'again';
  }

  #accepted(identity: Identity, sentAtMs: Millis, what: string): void {
    this.#ledger.accepted(this.transactionalId, identity, { sentAtMs, what });
  }

  /** It was told so: whoever has this epoch is out. */
  #fenced({ producerId, producerEpoch }: Identity): void {
    const newer = { producerId, producerEpoch: producerEpoch + 1 };
    this.#ledger.fenced(this.transactionalId, newer, this.#world.scheduler.nowMs);
  }
}
