import { BatchFault } from '../../../kernels/kernels.ts';
import { ErrorCode } from '../../../model/errors.ts';
import type { Offset } from '../../../model/ids.ts';
import { records } from '../../../records/batch.ts';
import { ControlType, controlType } from '../../../records/control.ts';
import { BatchHeader } from '../../../records/header.ts';
import { fetchApi } from '../../../wire/apis/01-fetch.ts';
import type { ResponseOf } from '../../../wire/schema.ts';
import { holds } from '../broken.ts';
import type { Client } from '../client.ts';
import { batchesIn } from '../ledger.ts';
import { type World, answerOf, isTransient } from '../world.ts';
import type { TxnLedger, TxnLog } from './ledger.ts';

type Fetched = ResponseOf<typeof fetchApi>['responses'][number]['partitions'][number];

/** Where a reader of committed records is. */
export interface CommittedPosition {
  readonly log: TxnLog;
  offset: Offset;
  lastStableOffset: Offset;
  highWatermark: Offset;
  /** It was put here, and did not read its way. */
  isMoved: boolean;
  isRead: boolean;
}

export interface Found {
  offset: Offset;
  value: string;
}

const READ_COMMITTED = 1;
/** Versions that know transactions, and name topics. */
const VERSIONS = { least: 4, most: 12 };
const READ_ALL_FETCHES = 400;
const utf8 = new TextDecoder();

/** Reads what is committed as clients do: up to the last stable offset, without what they are told was aborted. */
export class CommittedReader {
  readonly #world: World;
  readonly #client: Client;
  readonly #ledger: TxnLedger;

  constructor({ world, client, ledger }: { world: World; client: Client; ledger: TxnLedger }) {
    this.#world = world;
    this.#client = client;
    this.#ledger = ledger;
  }

  start(log: TxnLog, offset: Offset): CommittedPosition {
    return { log, offset, lastStableOffset: -1, highWatermark: -1, isMoved: true, isRead: false };
  }

  /** One fetch; the position moves. @returns what has come. */
  async fetch(position: CommittedPosition): Promise<readonly Found[]> {
    const { random, name } = this.#client;
    const { log, isMoved } = position;
    const beganAtMs = this.#world.scheduler.nowMs;
    const version = Math.min(VERSIONS.most, this.#client.versionOf(fetchApi, VERSIONS.least));
    const partition = {
      partition: log.partition,
      fetchOffset: position.offset,
      partitionMaxBytes: random.pick([1, 500, 4_000, 100_000]),
    };
    const answer = await answerOf(
      this.#client.request(fetchApi, version, {
        maxWaitMs: random.pick([0, 50, 200]),
        minBytes: 1,
        isolationLevel: READ_COMMITTED,
        topics: [{ topic: log.topic, partitions: [partition] }],
      }),
    );
    const fetched = answer?.responses[0]?.partitions[0];
    if (fetched === undefined) return [];
    const found = await this.#take(position, fetched, beganAtMs);
    if (found.length === 0) return found;
    position.isMoved = false;
    this.#world.recorder.add({
      process: name,
      outcome: 'ok',
      beganAtMs,
      steps: [{ type: 'poll', key: log.title, records: found }],
      ...(isMoved && { moved: [log.title] }),
    });
    return found;
  }

  /** All that is stable. @returns false when there was no end within some fetches. */
  async readAll(position: CommittedPosition): Promise<boolean> {
    for (let attempt = 0; attempt < READ_ALL_FETCHES; attempt++) {
      await this.fetch(position);
      const { isRead, offset, lastStableOffset, highWatermark } = position;
      if (isRead && offset >= lastStableOffset && lastStableOffset === highWatermark) return true;
      await this.#world.scheduler.sleep(20);
    }
    return false;
  }

  async #take(position: CommittedPosition, fetched: Fetched, askedAtMs: number): Promise<readonly Found[]> {
    const { log } = position;
    const { title } = log;
    const { errorCode, lastStableOffset, highWatermark, logStartOffset } = fetched;
    if (isTransient(errorCode)) return [];
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      holds(position.offset < log.deletedBelow, 'I4', () => `${title}: ${position.offset} is out of range`);
      Object.assign(position, this.start(log, Math.max(logStartOffset, 0)));
      return [];
    }
    holds(errorCode === ErrorCode.NONE, 'I17', () => `a fetch of ${title} gives ${errorCode}`);
    holds(lastStableOffset <= highWatermark, 'I4', () => {
      return `${title} is stable up to ${lastStableOffset}, and has ${highWatermark}`;
    });
    holds(lastStableOffset >= position.lastStableOffset, 'I4', () => {
      return `${title} was stable up to ${position.lastStableOffset}, and is to ${lastStableOffset}`;
    });
    Object.assign(position, { lastStableOffset, highWatermark, isRead: true });
    const batches: Uint8Array[] = [];
    batchesIn(fetched.records ?? new Uint8Array(0), (header) => batches.push(header.bytes));
    const aborted = new AbortedProducers(fetched.abortedTransactions ?? []);
    const found: Found[] = [];
    for (const batch of batches) {
      if (this.#world.kernels.validateBatch(batch) !== BatchFault.none) {
        holds(this.#world.wasFlipped(log, askedAtMs), 'I18', () => `${title} gives a false batch`);
        break;
      }
      found.push(...(await this.#takeBatch(position, batch, aborted)));
    }
    return found;
  }

  async #takeBatch(
    position: CommittedPosition,
    batch: Uint8Array,
    aborted: AbortedProducers,
  ): Promise<readonly Found[]> {
    const { log, offset: from, lastStableOffset } = position;
    const { baseOffset, lastOffset, isControl } = new BatchHeader(batch);
    holds(baseOffset <= from || from < log.deletedBelow, 'I5', () => {
      return `${log.title}: asked for ${from}, got ${baseOffset}: what is between is skipped`;
    });
    holds(lastOffset >= from, 'I5', () => `${log.title}: asked for ${from}, got up to ${lastOffset}`);
    holds(lastOffset < lastStableOffset, 'I6', () => {
      return `${log.title}: ${lastOffset} is given out as committed, ${lastStableOffset} is what is stable`;
    });
    const isKept = aborted.admit(new BatchHeader(batch));
    const read = await records(batch, this.#world.kernels, new Map());
    position.offset = lastOffset + 1;
    const found: Found[] = [];
    for (const { offset, key, value } of read) {
      if (isControl) aborted.ended(new BatchHeader(batch).producerId, controlType(key));
      else if (isKept && offset >= from)
        found.push({ offset, value: utf8.decode(value ?? new Uint8Array(0)) });
    }
    for (const { offset, value } of found) this.#ledger.read(log, offset, value);
    return found;
  }
}

/** Whose records do not count, as a reader goes on through what it fetched. */
export class AbortedProducers {
  readonly #coming: { producerId: number; firstOffset: Offset }[];
  readonly #open = new Set<number>();

  constructor(aborted: readonly { producerId: number; firstOffset: Offset }[]) {
    this.#coming = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  admit({ lastOffset, producerId, isTransactional }: BatchHeader): boolean {
    for (let next = this.#coming[0]; next && next.firstOffset <= lastOffset; next = this.#coming[0]) {
      this.#open.add(next.producerId);
      this.#coming.shift();
    }
    return !isTransactional || !this.#open.has(producerId);
  }

  ended(producerId: number, marker: number): void {
    if (marker === ControlType.abort) this.#open.delete(producerId);
  }
}
