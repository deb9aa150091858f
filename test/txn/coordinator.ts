import type { Ask } from '../../src/model/machine.ts';
import { TxnMachine, type TxnConfig } from '../../src/txn/index.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../src/wire/apis/24-add-partitions-to-txn.ts';
import { endTxnApi } from '../../src/wire/apis/26-end-txn.ts';
import {
  type WriteTxnMarkersRequest,
  type WriteTxnMarkersResponse,
  writeTxnMarkersApi,
} from '../../src/wire/apis/27-write-txn-markers.ts';
import { describeTransactionsApi } from '../../src/wire/apis/65-describe-transactions.ts';
import type { AllocateProducerIdsResponse } from '../../src/wire/apis/67-allocate-producer-ids.ts';
import { MachineHost } from '../support/machine-host.ts';

export interface Producer {
  transactionalId: string;
  producerId: number;
  producerEpoch: number;
}

/** A marker that was written, as a partition has it. */
export interface Marker {
  partition: string;
  producerId: number;
  producerEpoch: number;
  committed: boolean;
}

const CONTROLLER = 'm';
const COORDINATOR_EPOCH = 3;

/** A coordinator of transactions, with the shards it asks. Topics whose names begin with `gone` are not there. */
export class TxnCoordinator extends MachineHost<TxnMachine> {
  readonly markers: Marker[] = [];
  #nextProducerId = 1_000;
  readonly #blockSize: number;

  constructor(config: Partial<TxnConfig> = {}, blockSize = 1_000) {
    const shardOf = (topic: string, partition: number) =>
      topic.startsWith('gone') ? undefined : `${topic}/${partition}`;
    super(
      () => new TxnMachine({ controller: CONTROLLER, coordinatorEpoch: COORDINATOR_EPOCH, shardOf, config }),
    );
    this.#blockSize = blockSize;
  }

  /** All that is asked is answered, and what comes of that. */
  settle(): void {
    for (let ask = this.asks[0]; ask !== undefined; ask = this.asks[0]) this.settleOne(ask);
  }

  settleOne(ask: Ask): void {
    if (ask.shard === CONTROLLER) return this.grantIds(ask);
    const { markers } = ask.body as WriteTxnMarkersRequest;
    for (const { producerId, producerEpoch, transactionResult: committed } of markers) {
      this.markers.push({ partition: ask.shard, producerId, producerEpoch, committed });
    }
    this.answer(ask, { body: markersAnswered(ask, 0) });
  }

  grantIds(ask: Ask): void {
    const producerIdStart = this.#nextProducerId;
    this.#nextProducerId += this.#blockSize;
    const body: AllocateProducerIdsResponse = {
      throttleTimeMs: 0,
      errorCode: 0,
      producerIdStart,
      producerIdLen: this.#blockSize,
    };
    this.answer(ask, { body });
  }

  /** Ids that are asked for are granted; markers wait for `settle`. */
  init(
    transactionalId: string,
    {
      version = 5,
      timeoutMs = 60_000,
      ...known
    }: Partial<Producer> & { version?: number; timeoutMs?: number } = {},
  ): { errorCode: number; producer: Producer } {
    const { producerId = -1, producerEpoch = -1 } = known;
    const body = { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch };
    const reply = this.#granted<Reply>((take) =>
      this.send(initProducerIdApi, body, { client: 'c', version }, take),
    );
    return answered(transactionalId, reply);
  }

  #granted<Body>(send: (take: (reply: Body) => void) => void): Body {
    let reply: Body | undefined;
    send((answer) => (reply = answer));
    for (const ask of this.asks.filter(({ shard }) => shard === CONTROLLER)) this.grantIds(ask);
    if (reply === undefined) throw new Error('it was not answered');
    return reply;
  }

  /** A producer that begins; what stands in its way is settled, as its client would by coming again. */
  begin(transactionalId: string, options: { timeoutMs?: number } = {}): Producer {
    for (;;) {
      const { errorCode, producer } = this.init(transactionalId, options);
      if (errorCode === 0) return producer;
      if (errorCode !== 51) throw new Error(`InitProducerId was answered ${errorCode}`);
      this.settle();
    }
  }

  /** @returns the error of the first partition; all have the same. */
  add(
    { transactionalId, producerId, producerEpoch }: Producer,
    partitions: readonly string[],
    version = 3,
  ): number {
    const topics = partitions.map((name) => {
      const [topic = '', partition = ''] = name.split('/');
      return { name: topic, partitions: [Number(partition)] };
    });
    if (version <= 3) {
      const body = {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: topics,
      };
      const { resultsByTopicV3AndBelow } = this.ask(addPartitionsToTxnApi, body, { client: 'c', version });
      return resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? 0;
    }
    return this.#asBroker({ transactionalId, producerId, producerEpoch, verifyOnly: false, topics });
  }

  /** What a partition's leader asks before it takes a producer's first batch. */
  verify({ transactionalId, producerId, producerEpoch }: Producer, partition: string): number {
    const [name = '', index = ''] = partition.split('/');
    const topics = [{ name, partitions: [Number(index)] }];
    return this.#asBroker({ transactionalId, producerId, producerEpoch, verifyOnly: true, topics });
  }

  #asBroker(
    transaction: Producer & { verifyOnly: boolean; topics: { name: string; partitions: number[] }[] },
  ): number {
    const body = { transactions: [transaction] };
    const { resultsByTransaction } = this.ask(addPartitionsToTxnApi, body, { client: 'broker', version: 5 });
    return resultsByTransaction[0]?.topicResults[0]?.resultsByPartition[0]?.partitionErrorCode ?? 0;
  }

  end(
    { transactionalId, producerId, producerEpoch }: Producer,
    committed: boolean,
    version = 5,
  ): { errorCode: number; producer: Producer } {
    const body = { transactionalId, producerId, producerEpoch, committed };
    const reply = this.#granted<Reply>((take) => this.send(endTxnApi, body, { client: 'c', version }, take));
    return answered(transactionalId, reply);
  }

  describe(transactionalId: string) {
    const body = { transactionalIds: [transactionalId] };
    const { transactionStates } = this.ask(describeTransactionsApi, body, { client: 'admin' });
    const [described] = transactionStates;
    if (described === undefined) throw new Error('nothing was described');
    return described;
  }

  state(transactionalId: string): string {
    return this.describe(transactionalId).transactionState;
  }
}

interface Reply {
  errorCode: number;
  producerId: number;
  producerEpoch: number;
}

function answered(transactionalId: string, { errorCode, producerId, producerEpoch }: Reply) {
  return { errorCode, producer: { transactionalId, producerId, producerEpoch } };
}

/** The answer of the shard that was asked for a marker. */
export function markersAnswered(ask: Ask, errorCode: number): WriteTxnMarkersResponse {
  if (ask.apiKey !== writeTxnMarkersApi.key) throw new Error('that was no marker');
  const { markers } = ask.body as WriteTxnMarkersRequest;
  return {
    markers: markers.map(({ producerId, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    })),
  };
}
