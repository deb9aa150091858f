import type { PartitionLog } from '../log/partition-log.ts';
import { placeOf } from '../log/tiering/remote-segment.ts';
import { concat } from '../model/bytes.ts';
import { ErrorCode } from '../model/errors.ts';
import type { Offset } from '../model/ids.ts';
import type { Address } from '../model/machine.ts';
import type { ReadRange } from '../ports/log-store.ts';
import type { RemotePlace, TieredAnswer } from '../ports/remote-storage.ts';
import type { ShardRequest } from '../ports/shard-link.ts';
import { offsetAfter } from '../records/header.ts';
import type { FetchRequest } from '../wire/apis/01-fetch.ts';
import { type FetchedPartition, NO_RECORDS, emptyFetched } from '../wire/fetched.ts';
import { type FetchPartition, fetchReply, wantedIn, wantsCommitted } from './fetch-of-one.ts';
import { epochError } from './lookups.ts';
import type { Shard } from './shard.ts';

/** A client's fetch, and how far its gateway has heard of it: state, never a promise. */
interface Reader {
  request: ShardRequest;
  /** What it is answered from is on its way from the disk. */
  isReading: boolean;
  /** Was answered `parked`. */
  isParked: boolean;
  /** Knows that this answer is no longer true. */
  isTold: boolean;
  /** While parked: read again once the shard has committed this many bytes (counted since it was made). */
  wakeAtBytes: number;
  /** Of a reader of committed records: up to where it has read, and so what must move before there is more. */
  stableOffset: Offset;
}

/** What one read has brought, and what the shard had committed when it began. */
interface Brought {
  wanted: FetchPartition;
  maxBytes: number;
  bytes: Uint8Array;
  /** The high watermark, or the last stable offset; and the bytes below the former. */
  endOffset: Offset;
  seenBytes: number;
}

type Aborted = FetchedPartition['abortedTransactions'];

/** Of so many segments a gateway is told at once. */
const TIERED_PLACES_MAX = 500;

/** Everything clients read of a log: what is below the high watermark, or stable if they want that. */
export class Fetches {
  readonly #shard: Shard;
  readonly #log: PartitionLog;
  /** Whose last answer is still to come, by correlation id: the gateway's, so one of them once. */
  readonly #readers = new Map<number, Reader>();

  constructor(shard: Shard, log: PartitionLog) {
    this.#shard = shard;
    this.#log = log;
  }

  /** Answers at once when there is enough, an error, or no time to wait; else with what there is, and parks. */
  fetch(request: ShardRequest): void {
    const reader = { request, isReading: false, isParked: false, isTold: false };
    this.#read({ ...reader, wakeAtBytes: 0, stableOffset: 0 });
  }

  #read(reader: Reader): void {
    const { request } = reader;
    const wanted = wantedIn(request);
    if (wanted === undefined) return this.#reply(request, this.#fetched(-1, ErrorCode.INVALID_REQUEST));
    const refusal = this.#refuse(wanted);
    if (refusal !== undefined) return this.#reply(request, refusal);
    const remote = this.#log.remoteAt(wanted.fetchOffset);
    if (remote !== undefined) return this.#reply(request, this.#tiered(wanted.partition, remote));
    const maxBytes = request.credit ?? wanted.partitionMaxBytes;
    const endOffset = wantsCommitted(reader.request) ? this.#log.lastStableOffset : this.#log.highWatermark;
    const seenBytes = this.#shard.committedBytes;
    this.#bring(reader, { fromOffset: wanted.fetchOffset, endOffset, maxBytes }, (bytes) =>
      this.#answer(reader, { wanted, maxBytes, bytes, endOffset, seenBytes }),
    );
  }

  /** A file ends there, or what is in memory begins: the rest is there to be read, as far as it fits. */
  #readOn(reader: Reader, brought: Brought, fromOffset: Offset): void {
    const { maxBytes, endOffset, bytes, wanted } = brought;
    this.#bring(reader, { fromOffset, endOffset, maxBytes: maxBytes - bytes.length }, (more) => {
      const fits = more.length > 0 && bytes.length + more.length <= maxBytes;
      if (fits) this.#answer(reader, { ...brought, bytes: concat([bytes, more]) });
      else this.#reply(reader.request, this.#brought(reader, wanted, bytes));
    });
  }

  /** Hands over what is read, at once when it is in memory; nothing to a reader that was called off meanwhile. */
  #bring(reader: Reader, range: ReadRange, use: (bytes: Uint8Array) => void): void {
    const { from } = reader.request;
    const records = this.#records(range);
    if (!(records instanceof Promise)) return use(records);
    reader.isReading = true;
    this.#readers.set(from.correlationId, reader);
    records.then(
      (bytes) => this.#leave(reader) && use(bytes),
      (error) => this.#leave(reader) && this.#shard.readFailed(from, error),
    );
  }

  #answer(reader: Reader, brought: Brought): void {
    const { request } = reader;
    const { wanted, maxBytes, bytes, endOffset, seenBytes } = brought;
    const { maxWaitMs, minBytes } = request.body as FetchRequest;
    const missingBytes = Math.min(minBytes, maxBytes) - bytes.length;
    if (maxWaitMs <= 0 || missingBytes <= 0) {
      return this.#reply(request, this.#brought(reader, wanted, bytes));
    }
    const nextOffset = offsetAfter(bytes) ?? endOffset;
    if (nextOffset < endOffset) return this.#readOn(reader, brought, nextOffset);
    reader.isReading = false;
    reader.wakeAtBytes = seenBytes + missingBytes;
    reader.stableOffset = endOffset;
    // It has come while the disk was read.
    if (this.#hasMore(reader)) return this.#read(reader);
    this.#readers.set(request.from.correlationId, reader);
    if (reader.isParked) return this.#tell(reader);
    reader.isParked = true;
    this.#reply(request, this.#brought(reader, wanted, bytes), true);
  }

  /** How many bytes are below the last stable offset nobody counts: whenever it has moved there may be enough. */
  #hasMore(reader: Reader): boolean {
    if (wantsCommitted(reader.request)) return this.#log.lastStableOffset > reader.stableOffset;
    return this.#shard.committedBytes >= reader.wakeAtBytes;
  }

  /** The high watermark has moved: those for whom enough has come are answered, now for good. */
  advanced(): void {
    if (this.#readers.size === 0) return;
    // Those that come while this goes on have seen it.
    const readers = [...this.#readers.values()];
    for (const reader of readers) {
      if (reader.isReading) continue;
      if (!this.#hasMore(reader)) this.#tell(reader);
      else if (this.#leave(reader)) this.#read(reader);
    }
  }

  #tell(reader: Reader): void {
    if (reader.isTold) return;
    reader.isTold = true;
    this.#shard.parts.reply({ to: reader.request.from, body: undefined, parked: true });
  }

  /** @returns false for one that was called off, or answered since. */
  #leave({ request }: Reader): boolean {
    return this.#readers.delete(request.from.correlationId);
  }

  /** @returns whether that fetch was here. */
  cancel(from: Address): boolean {
    return this.#readers.delete(from.correlationId);
  }

  /** The log is gone. @returns who was still to be answered. */
  stop(): Address[] {
    const readers = Array.from(this.#readers.values(), ({ request }) => request.from);
    this.#readers.clear();
    return readers;
  }

  /** As Kafka orders its checks: who leads, how far the reader's log is ours, whether the offset is there. */
  #refuse(wanted: FetchPartition): FetchedPartition | undefined {
    const { partition, fetchOffset, lastFetchedEpoch } = wanted;
    const { logStartOffset, logEndOffset } = this.#log;
    const errorCode = epochError(this.#shard.leaderEpoch, wanted.currentLeaderEpoch);
    if (errorCode !== ErrorCode.NONE) return this.#fetched(partition, errorCode);
    if (fetchOffset < logStartOffset) return this.#fetched(partition, ErrorCode.OFFSET_OUT_OF_RANGE);
    if (lastFetchedEpoch >= 0) {
      const { epoch, endOffset } = this.#log.epochs.endOffsetFor(lastFetchedEpoch, logEndOffset);
      // An epoch we never heard of: nothing tells how far the asker's log is ours.
      if (epoch < 0) return this.#fetched(partition, ErrorCode.OFFSET_OUT_OF_RANGE);
      if (epoch < lastFetchedEpoch || endOffset < fetchOffset) {
        return { ...this.#fetched(partition, ErrorCode.NONE), divergingEpoch: { epoch, endOffset } };
      }
    }
    if (fetchOffset > logEndOffset) return this.#fetched(partition, ErrorCode.OFFSET_OUT_OF_RANGE);
    return undefined;
  }

  /** Its gateway reads that by itself: no shard is kept awake by who reads what is old. */
  #tiered(partition: number, place: RemotePlace): FetchedPartition & { tiered: TieredAnswer } {
    const { highWatermark, lastStableOffset, logStartOffset, remoteSegments } = this.#log;
    const first = remoteSegments.findIndex(({ key }) => key === place.key);
    const places = remoteSegments.slice(first, first + TIERED_PLACES_MAX).map(placeOf);
    const ends = { highWatermark, lastStableOffset, logStartOffset };
    const tiered = { place: placeOf(place), places, ...ends };
    return { ...this.#fetched(partition, ErrorCode.OFFSET_MOVED_TO_TIERED_STORAGE), tiered };
  }

  #records(range: ReadRange): Uint8Array | Promise<Uint8Array> {
    if (range.maxBytes <= 0 || range.fromOffset >= range.endOffset) return NO_RECORDS;
    try {
      return this.#log.read(range) ?? NO_RECORDS;
    } catch (error) {
      // A round took several logs with it: their shards hear of it one after the other.
      return Promise.reject(error);
    }
  }

  /** Records for a reader, who is told which of them do not count if it wants committed ones. */
  #brought(
    reader: Reader,
    { partition, fetchOffset }: FetchPartition,
    records: Uint8Array,
  ): FetchedPartition {
    const fetched = this.#fetched(partition, ErrorCode.NONE, records);
    if (wantsCommitted(reader.request)) fetched.abortedTransactions = this.#abortedIn(fetchOffset, records);
    return fetched;
  }

  #abortedIn(fromOffset: Offset, records: Uint8Array): Aborted {
    const endOffset = offsetAfter(records);
    if (endOffset === undefined) return [];
    const aborted = this.#log.aborted({ fromOffset, endOffset });
    return aborted.map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
  }

  #fetched(partitionIndex: number, errorCode: number, records: Uint8Array = NO_RECORDS): FetchedPartition {
    const fetched = emptyFetched(partitionIndex, errorCode);
    if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.OFFSET_OUT_OF_RANGE) return fetched;
    const { highWatermark, lastStableOffset, logStartOffset } = this.#log;
    return { ...fetched, highWatermark, lastStableOffset, logStartOffset, records };
  }

  #reply(request: ShardRequest, partition: FetchedPartition, parked = false): void {
    const reply = fetchReply(request, partition);
    this.#shard.parts.reply(parked ? { ...reply, parked } : reply);
  }
}
