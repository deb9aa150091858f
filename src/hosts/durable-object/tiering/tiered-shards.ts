import { placesKey } from '../../../log/tiering/remote-segment.ts';
import { ErrorCode } from '../../../model/errors.ts';
import type { Offset, Uuid } from '../../../model/ids.ts';
import type { Address } from '../../../model/machine.ts';
import type { RemoteStorage, TieredAnswer } from '../../../ports/remote-storage.ts';
import {
  partitionOfShard,
  type ShardId,
  type ShardLink,
  type ShardReply,
  type ShardRequest,
} from '../../../ports/shard-link.ts';
import { type FetchRequest, fetchApi } from '../../../wire/apis/01-fetch.ts';
import { type FetchedPartition, NO_RECORDS, emptyFetched } from '../../../wire/fetched.ts';
import { offsetAfter } from '../../../records/header.ts';
import { fetchedIn, fetchReply, wantedIn, wantsCommitted } from '../../../shard/fetch-of-one.ts';
import { type Places, readPlaces } from './places-object.ts';
import { type RemoteReader, RemoteSegmentGone } from './remote-reader.ts';
import type { TieredPlaces } from './tiered-places.ts';

export interface TieredShardsParts {
  cluster: string;
  link: ShardLink;
  reply: (reply: ShardReply) => void;
  storage: RemoteStorage;
  /** What gateways of one isolate share. */
  reader: RemoteReader;
  places: TieredPlaces;
  now: () => number;
}

/** What a shard answers that has what is asked for in remote storage alone. */
type Told = FetchedPartition & { tiered?: TieredAnswer };

const NOTHING: Places = { places: [], highWatermark: 0, lastStableOffset: 0, logStartOffset: 0 };

/**
 * Fetches of what is in remote storage are answered from there, and no shard is woken: where that is stands beside it.
 * All else goes to the shards, and so does what remote storage has no word of.
 */
export class TieredShards implements ShardLink {
  readonly #parts: TieredShardsParts;
  /** Fetches without a last answer, by correlation id. */
  readonly #fetches = new Map<number, ShardRequest>();

  constructor(parts: TieredShardsParts) {
    this.#parts = parts;
  }

  request(request: ShardRequest): void {
    // What coordinators keep is nowhere else.
    const of = request.apiKey === fetchApi.key ? partitionOfShard(request.shard) : undefined;
    const wanted = of && wantedIn(request);
    if (of === undefined || wanted === undefined) return this.#parts.link.request(request);
    this.#fetches.set(request.from.correlationId, request);
    const { places, now } = this.#parts;
    // Whoever doubts who leads is to hear that from the shard.
    const isPlain = wanted.lastFetchedEpoch < 0 && wanted.currentLeaderEpoch <= 0;
    const tiered = isPlain ? places.find(request.shard, wanted.fetchOffset, now()) : undefined;
    if (tiered !== undefined) void this.#read(request, tiered, { isFresh: false });
    else if (isPlain && !places.isBehind(request.shard, wanted.fetchOffset))
      void this.#lookUp(request, { ...of, offset: wanted.fetchOffset });
    else this.#parts.link.request(request);
  }

  /** Remote storage says itself where segments are. When it does not, or has none there, the shard is asked. */
  async #lookUp(
    request: ShardRequest,
    { topicId, partition, offset }: { topicId: Uuid; partition: number; offset: Offset },
  ): Promise<void> {
    const { storage, places, cluster, now } = this.#parts;
    const { shard } = request;
    const key = placesKey(cluster, topicId, partition);
    // Where nothing is said the shard knows; nor does it wait for a storage that cannot be reached.
    const told = await readPlaces(storage, key).catch(() => undefined);
    places.add(shard, told ?? NOTHING, { offset, nowMs: now() });
    const tiered = places.find(shard, offset, now());
    if (tiered === undefined) this.#ask(request);
    else if (this.#isWanted(request)) void this.#read(request, tiered, { isFresh: false });
  }

  #isWanted(request: ShardRequest): boolean {
    return this.#fetches.get(request.from.correlationId) === request;
  }

  cancel(shard: ShardId, from: Address): void {
    this.#fetches.delete(from.correlationId);
    this.#parts.link.cancel(shard, from);
  }

  /** An answer of a shard. */
  receive(reply: ShardReply): void {
    const request = this.#fetches.get(reply.to.correlationId);
    if (request === undefined) return this.#parts.reply(reply);
    const told: Told | undefined = fetchedIn(reply);
    const tiered = told?.errorCode === ErrorCode.OFFSET_MOVED_TO_TIERED_STORAGE ? told.tiered : undefined;
    if (told?.errorCode === ErrorCode.NONE) this.#parts.places.heard(request.shard, told);
    if (tiered === undefined) return this.#answer(request, reply);
    const offset = wantedIn(request)?.fetchOffset ?? 0;
    this.#parts.places.add(request.shard, tiered, { offset, nowMs: this.#parts.now() });
    void this.#read(request, tiered, { isFresh: true });
  }

  #answer(request: ShardRequest, reply: ShardReply): void {
    const { correlationId } = request.from;
    if (!this.#isWanted(request)) return;
    if (!reply.parked) this.#fetches.delete(correlationId);
    this.#parts.reply(reply);
  }

  /** @param isFresh whether the shard has just said so. */
  async #read(request: ShardRequest, tiered: TieredAnswer, { isFresh }: { isFresh: boolean }): Promise<void> {
    const { storage, reader, places } = this.#parts;
    const wanted = wantedIn(request);
    if (wanted === undefined) return;
    const { place } = tiered;
    const maxBytes = request.credit ?? wanted.partitionMaxBytes;
    try {
      const range = { fromOffset: wanted.fetchOffset, endOffset: tiered.highWatermark, maxBytes };
      const records = maxBytes > 0 ? await reader.read(storage, place, range) : NO_RECORDS;
      if (maxBytes > 0 && records.length === 0) return this.#goOn(request, place.nextOffset);
      const aborted = wantsCommitted(request)
        ? abortedIn((await reader.footer(storage, place)).aborted, wanted.fetchOffset, records)
        : null;
      this.#answer(
        request,
        fetchReply(request, { ...fetched(wanted.partition, tiered), records, ...aborted }),
      );
    } catch (error) {
      places.forget(request.shard);
      // What is known here may be old.
      if (error instanceof RemoteSegmentGone && !isFresh) return this.#ask(request);
      const refused = { to: request.from, body: undefined, errorCode: ErrorCode.KAFKA_STORAGE_ERROR };
      this.#answer(request, refused);
    }
  }

  /** Nothing is left in the rest of a segment: there is more behind it. */
  #goOn(request: ShardRequest, fetchOffset: number): void {
    const wanted = wantedIn(request);
    const body = request.body as FetchRequest;
    if (wanted === undefined || !this.#isWanted(request)) return;
    const topics = body.topics.map((topic) => ({ ...topic, partitions: [{ ...wanted, fetchOffset }] }));
    this.request({ ...request, body: { ...body, topics } });
  }

  #ask(request: ShardRequest): void {
    if (this.#isWanted(request)) this.#parts.link.request(request);
  }
}

function fetched(
  partitionIndex: number,
  { highWatermark, lastStableOffset, logStartOffset }: TieredAnswer,
): FetchedPartition {
  return {
    ...emptyFetched(partitionIndex, ErrorCode.NONE),
    highWatermark,
    lastStableOffset,
    logStartOffset,
  };
}

/** In the order of their first offsets. */
function abortedIn(
  all: readonly { producerId: number; firstOffset: number; lastOffset: number }[],
  fromOffset: number,
  records: Uint8Array,
): Pick<FetchedPartition, 'abortedTransactions'> {
  const endOffset = offsetAfter(records) ?? fromOffset;
  const abortedTransactions = all
    .filter(({ firstOffset, lastOffset }) => lastOffset >= fromOffset && firstOffset < endOffset)
    .toSorted((a, b) => a.firstOffset - b.firstOffset)
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
  return { abortedTransactions };
}
