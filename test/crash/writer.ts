import { produceApi, type ProduceResponse } from '../../src/wire/apis/00-produce.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import type { Kernels } from '../../src/kernels/kernels.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { BatchHeader } from '../../src/records/header.ts';
import { type Connection, ConnectionLost } from './connection.ts';
import { type LogLedger, valueOf } from './log-ledger.ts';
import type { SeededRandom } from '../support/random.ts';
import type { RoundProgress } from './round.ts';

export interface Target {
  topic: string;
  partition: number;
}

export function logOf({ topic, partition }: Target): string {
  return `${topic}-${partition}`;
}

interface Batch {
  /** Of its first record; its sequence too. */
  number: number;
  count: number;
  bytes: Uint8Array;
}

/** What one writer has on its way to one partition, in order. */
interface Lane {
  target: Target;
  nextNumber: number;
  pending: Batch[];
}

export interface WriterParts {
  kernels: Kernels;
  ledger: LogLedger;
  random: SeededRandom;
  onFault: (fault: string) => void;
}

const PRODUCE_VERSION = 9;
/** A broker remembers the last five batches of a producer: as many may be repeated. */
const IN_FLIGHT = 5;
const RECORDS_MAX = 12;

/**
 * Writes pipelined batches, several to a partition at once. An idempotent one repeats after a crash all that was not
 * acknowledged, byte for byte; a plain one lets it go, whether it arrived or not.
 */
export class Writer {
  readonly name: string;
  readonly #parts: WriterParts;
  readonly #lanes: Lane[];
  readonly #isIdempotent: boolean;
  #producer = { producerId: -1, producerEpoch: -1 };
  #connection: Connection | undefined;
  #progress: RoundProgress | undefined;

  constructor(
    parts: WriterParts,
    { name, targets, isIdempotent }: { name: string; targets: readonly Target[]; isIdempotent: boolean },
  ) {
    this.#parts = parts;
    this.name = name;
    this.#isIdempotent = isIdempotent;
    this.#lanes = targets.map((target) => ({ target, nextNumber: 0, pending: [] }));
    parts.ledger.addWriter(name, { exact: isIdempotent });
  }

  get producerId(): number {
    return this.#producer.producerId;
  }

  /** Batches that were sent and not acknowledged. */
  get pendingCount(): number {
    return this.#lanes.reduce((sum, { pending }) => sum + pending.length, 0);
  }

  /** Goes on writing, on a new connection, until it is lost. */
  async resume(connection: Connection, progress: RoundProgress): Promise<void> {
    this.#connection = connection;
    this.#progress = progress;
    if (this.#isIdempotent && this.producerId < 0) await this.#init(connection);
    if (this.#isIdempotent && this.producerId < 0) return;
    for (const lane of this.#lanes) {
      if (!this.#isIdempotent) lane.pending = [];
      for (const batch of lane.pending) this.#send(lane, batch, connection);
      this.#pump(lane, connection);
    }
  }

  async #init(connection: Connection): Promise<void> {
    try {
      const answer = await connection.request(initProducerIdApi, 4, {
        transactionalId: null,
        transactionTimeoutMs: 0,
      });
      if (answer.errorCode === 0) this.#producer = answer;
      else this.#parts.onFault(`${this.name}: no producer id, error ${answer.errorCode}`);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    }
  }

  #pump(lane: Lane, connection: Connection): void {
    while (lane.pending.length < IN_FLIGHT && this.#progress?.takeBatch()) {
      const batch = this.#build(lane);
      lane.pending.push(batch);
      this.#send(lane, batch, connection);
    }
  }

  #build(lane: Lane): Batch {
    const { kernels, random, ledger } = this.#parts;
    const number = lane.nextNumber;
    const count = random.integer(1, RECORDS_MAX);
    lane.nextNumber += count;
    const id = { writer: this.name, number };
    const bytes = buildBatch(kernels, {
      records: Array.from({ length: count }, (_, index) => ({
        key: Buffer.from(this.name),
        value: valueOf({ writer: this.name, number: number + index }),
        headers: [{ key: 'number', value: Buffer.from(String(number + index)) }],
        timestamp: Date.now(),
      })),
      ...this.#producer,
      baseSequence: this.#isIdempotent ? number : -1,
    });
    ledger.sent(logOf(lane.target), id, count);
    return { number, count, bytes };
  }

  #send(lane: Lane, batch: Batch, connection: Connection): void {
    const { topic, partition } = lane.target;
    const answer = connection.request(produceApi, PRODUCE_VERSION, {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records: batch.bytes }] }],
    });
    answer.then(
      (response) => {
        this.#answered(lane, batch, response);
        if (this.#connection === connection) this.#pump(lane, connection);
      },
      (error) => {
        if (!(error instanceof ConnectionLost)) this.#parts.onFault(`${this.name}: ${error}`);
      },
    );
  }

  #answered(lane: Lane, batch: Batch, response: ProduceResponse): void {
    const log = logOf(lane.target);
    const { ledger, onFault } = this.#parts;
    const { errorCode, baseOffset } = response.responses[0]?.partitionResponses[0] ?? {};
    if (errorCode !== 0 || baseOffset === undefined || lane.pending[0] !== batch) {
      return onFault(`${log}: ${this.name}|${batch.number} was answered with error ${errorCode}`);
    }
    lane.pending.shift();
    const { crc } = new BatchHeader(batch.bytes);
    ledger.acked(log, { writer: this.name, number: batch.number }, { count: batch.count, baseOffset, crc });
    this.#progress?.acked();
  }
}
