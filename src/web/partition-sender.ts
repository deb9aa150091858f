import { MilenaError } from '../client/milena-error.ts';
import type { Millis } from '../model/ids.ts';
import type { Produced, ProducerIdentity } from './apis.ts';
import { encodeBatch, type EncodedRecord, type Place } from './batch.ts';
import type { Courier } from './courier.ts';
import type { RecordMetadata } from './outgoing.ts';

/** A record on its way. */
export interface Entry {
  readonly record: EncodedRecord;
  readonly sizeBytes: number;
  readonly partition: number | undefined;
  readonly bornAtMs: Millis;
  resolve: (metadata: RecordMetadata) => void;
  reject: (error: unknown) => void;
  /** Settled: nobody waits for it. */
  isOver: boolean;
}

const BATCH_MAX_BYTES = 900_000;

/** The broker has the batch already. */
const DUPLICATE = 'DUPLICATE_SEQUENCE_NUMBER';
/** The broker does not know our numbers, and so has not stored the batch. */
const LOST_TRACK = new Set(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH']);
/** One record may be to blame: the others go without it. */
const BLAMES_A_RECORD = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
]);

/** Sends the records of one partition, one batch at a time: so their order holds, and each is stored once. */
export class PartitionSender {
  readonly #courier: Courier;
  readonly #place: Place;
  #entries: Entry[] = [];
  #isSending = false;
  #countMax = Infinity;
  #identity: ProducerIdentity | undefined;
  #sequence = 0;

  constructor(courier: Courier, place: Place) {
    this.#courier = courier;
    this.#place = place;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    if (!this.#isSending) void this.#send();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    // What is published in the same turn goes with it.
    await Promise.resolve();
    for (let entries = this.#next(); entries.length > 0; entries = this.#next()) {
      try {
        const produced = await this.#deliver(entries);
        this.#sequence = (this.#sequence + entries.length) % 2 ** 31;
        this.#countMax *= 2;
        for (const [index, { record, resolve }] of entries.entries())
          resolve(
            metadataOf(produced, { partition: this.#place.partition, index, timestamp: record.timestamp }),
          );
      } catch (error) {
        this.#refused(entries, error);
      }
    }
    this.#isSending = false;
  }

  /** What goes into the next batch: at least one record, while there are any. */
  #next(): Entry[] {
    const waiting = this.#entries.filter(({ isOver }) => !isOver);
    let sizeBytes = 0;
    let count = 0;
    for (const entry of waiting) {
      sizeBytes += entry.sizeBytes;
      if (count > 0 && (count >= this.#countMax || sizeBytes > BATCH_MAX_BYTES)) break;
      count++;
    }
    this.#entries = waiting.slice(count);
    return waiting.slice(0, count);
  }

  /** The same bytes under the same numbers, however often they have to be sent. */
  async #deliver(entries: readonly Entry[]): Promise<Produced> {
    let batch: Uint8Array | undefined;
    const records = entries.map(({ record }) => record);
    return this.#courier.persist(entries[0]?.bornAtMs ?? 0, async (signal) => {
      batch ??= encodeBatch(records, await this.#numbers());
      try {
        return await this.#courier.send(this.#place, batch, signal);
      } catch (error) {
        const { code, message } = error as MilenaError;
        if (code === DUPLICATE) return { errorCode: 0, baseOffset: -1, appendTimeMs: -1, message: null };
        if (!LOST_TRACK.has(code)) throw error;
        batch = undefined;
        this.#courier.renewIdentity();
        throw new MilenaError(message, { code, retriable: true, cause: error });
      }
    });
  }

  async #numbers() {
    const identity = await this.#courier.identity();
    if (identity !== this.#identity) this.#sequence = 0;
    this.#identity = identity;
    return { ...identity, baseSequence: this.#sequence };
  }

  #refused(entries: readonly Entry[], error: unknown): void {
    if (entries.length > 1 && BLAMES_A_RECORD.has((error as MilenaError).code)) {
      this.#countMax = entries.length >> 1;
      this.#entries = [...entries, ...this.#entries];
      return;
    }
    this.#courier.renewIdentity();
    for (const { reject } of entries) reject(error);
  }
}

function metadataOf(
  { baseOffset, appendTimeMs }: Produced,
  { partition, index, timestamp }: { partition: number; index: number; timestamp: Millis },
): RecordMetadata {
  return {
    partition,
    offset: baseOffset < 0 ? -1 : baseOffset + index,
    timestamp: appendTimeMs < 0 ? timestamp : appendTimeMs,
  };
}
