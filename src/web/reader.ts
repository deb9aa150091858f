import type { MilenaError } from '../client/milena-error.ts';
import type { LeaderEpoch, Millis, Offset } from '../model/ids.ts';
import { EARLIEST, fetchApi, type FetchPart, LATEST, listOffsetsApi } from './apis.ts';
import { corrupt, readBatches, titleOf } from './batch.ts';
import type { Brokers } from './brokers.ts';
import { mayRetry, refusal } from './errors.ts';
import { type From, offsetFrom, resumedAt, timeIn } from './from.ts';
import type { Link } from './link.ts';
import { Patience, type Surroundings } from './surroundings.ts';
import type { TopicRecord } from './topic-record.ts';
import { unpack } from './unpack.ts';

/** How a subscription is. */
export interface Status {
  /**
   * `connecting` for the first time; `reading` what there was; `live`: all there was has been handed over, and what is
   * written comes at once; `retrying` because of `error`, for as long as it takes; `stopped`; `failed` for good.
   */
  readonly state: 'connecting' | 'reading' | 'live' | 'retrying' | 'stopped' | 'failed';
  /** While `reading`: records were deleted before they were read. */
  readonly error?: MilenaError | undefined;
}

export interface ReaderOptions {
  topic: string;
  from: From;
  /** One at a time; the next waits for a promise. */
  onRecord: (record: TopicRecord) => unknown;
  onStatus: (status: Status) => void;
}

/** How long a broker keeps a question that it has no records for, and when its answer counts as lost. */
const FETCH_WAIT_MS = 5_000;
const FETCH_TIMEOUT_MS = FETCH_WAIT_MS + 10_000;
const FETCH_MAX_BYTES = 1024 * 1024;
/** A broker that says sooner that it has nothing is not asked again at once. */
const EMPTY_MIN_MS = 100;
/** Partitions are added, and leaders move, without a word. */
const TOPIC_MAX_AGE_MS = 5 * 60_000;
/** Bytes that are damaged are asked for so often: it may have been the way. */
const CORRUPT_MAX = 3;

interface Position {
  partition: number;
  /** Where it starts, as long as there is no offset. */
  from: From;
  offset: Offset | undefined;
  /** Of the record before it; -1 when none was read. */
  leaderEpoch: LeaderEpoch;
  /** The log may have no such offset, or not any more. */
  isOutOfRange: boolean;
  /** It is live from here on. */
  liveFrom: Offset;
}

/** Reads a topic over all that may happen: each record once, in the order of its partition. */
export class Reader {
  readonly #brokers: Brokers;
  readonly #surroundings: Surroundings;
  readonly #options: ReaderOptions;
  readonly #patience: Patience;
  readonly #life = new AbortController();
  #session = new AbortController();
  #heardAtMs: Millis;
  #topicId: string | undefined;
  #positions = new Map<number, Position>();
  /** It is known what there was when we came: whatever is found later is new, and read from its start. */
  #hasLooked = false;
  /** Leaders answer when they like; records are handed over from one answer at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #corrupt = 0;
  /** A leader could not be read in this session, whatever the others do. */
  #hasFailed = false;
  #status: Status = { state: 'connecting' };

  constructor(brokers: Brokers, surroundings: Surroundings, options: ReaderOptions) {
    this.#brokers = brokers;
    this.#surroundings = surroundings;
    this.#options = options;
    this.#patience = new Patience(surroundings);
    this.#heardAtMs = surroundings.clock.now();
    const stopListening = surroundings.onWake((why) => {
      const silentForMs = surroundings.clock.now() - this.#heardAtMs;
      // No network or another one, or a long sleep: what looks connected may be dead.
      if (why === 'network' || silentForMs > FETCH_TIMEOUT_MS) this.#session.abort();
    });
    this.#life.signal.addEventListener('abort', stopListening);
    void this.#run();
  }

  get status(): Status {
    return this.#status;
  }

  /** The next offset by partition; undefined until it is known of all of them. */
  get position(): Record<number, Offset> | undefined {
    const position: Record<number, Offset> = {};
    for (const { partition, offset } of this.#positions.values()) {
      if (offset === undefined) return undefined;
      position[partition] = offset;
    }
    return this.#positions.size === 0 ? undefined : position;
  }

  /** Nothing is handed over after it. */
  stop(status: Status = { state: 'stopped' }): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    this.#brokers.close();
    this.#tell(status);
  }

  /** Trying again may help now. */
  wake(): void {
    this.#patience.wake();
  }

  async #run(): Promise<void> {
    while (!this.#life.signal.aborted) {
      this.#session = new AbortController();
      this.#hasFailed = false;
      this.#heardAtMs = this.#surroundings.clock.now();
      try {
        await this.#read(AbortSignal.any([this.#session.signal, this.#life.signal]));
      } catch (error) {
        if (this.#session.signal.aborted) this.#brokers.close();
        else if (!this.#life.signal.aborted) await this.#failed(error as MilenaError);
      }
      // What other leaders have was read meanwhile.
      this.#session.abort();
    }
  }

  async #failed(error: MilenaError): Promise<void> {
    this.#hasFailed = true;
    if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION') this.#hasLooked = true;
    if (error.code === 'CORRUPT_MESSAGE') this.#corrupt++;
    const mayHelp = mayRetry(error) || error.code === 'OFFSET_OUT_OF_RANGE';
    if (!mayHelp || this.#corrupt >= CORRUPT_MAX) return this.stop({ state: 'failed', error });
    this.#tell({ state: 'retrying', error });
    await this.#patience.wait(this.#life.signal);
  }

  /** Until something goes wrong, or what is known of the topic is old. */
  async #read(signal: AbortSignal): Promise<void> {
    const { topic, from } = this.#options;
    const { id, partitions } = await this.#brokers.topic(topic, { mayCreate: false, signal });
    if (this.#topicId !== undefined && this.#topicId !== id) this.#positions = new Map();
    this.#topicId = id;
    const start = this.#hasLooked ? 'earliest' : from;
    const byLeader = new Map<number, Position[]>();
    for (const { partition, leaderId } of partitions) {
      const known = this.#positions.get(partition);
      const offset = resumedAt(start, partition);
      const fresh = { partition, from: start, offset, leaderEpoch: -1, isOutOfRange: offset !== undefined };
      const position = known ?? { ...fresh, liveFrom: Infinity };
      position.liveFrom = Infinity;
      this.#positions.set(partition, position);
      byLeader.set(leaderId, [...(byLeader.get(leaderId) ?? []), position]);
    }
    this.#hasLooked = true;
    await Promise.all(Array.from(byLeader, ([leaderId, led]) => this.#follow(leaderId, led, signal)));
  }

  async #follow(leaderId: number, positions: Position[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#surroundings;
    const untilMs = clock.now() + TOPIC_MAX_AGE_MS;
    const link = await this.#brokers.leader(leaderId, signal);
    await this.#place(link, positions, signal);
    const limits = { topicId: this.#topicId ?? '', maxWaitMs: FETCH_WAIT_MS, maxBytes: FETCH_MAX_BYTES };
    while (clock.now() < untilMs) {
      const partitions = positions.map(({ partition, offset = 0, leaderEpoch }) => ({
        partition,
        offset,
        leaderEpoch,
      }));
      const askedAtMs = clock.now();
      const { errorCode, parts } = await link.ask(
        fetchApi,
        { ...limits, partitions },
        signal,
        FETCH_TIMEOUT_MS,
      );
      this.#heardAtMs = clock.now();
      if (errorCode !== 0) throw refusal(errorCode, this.#options.topic);
      const turn = this.#turn.then(() => this.#take(parts, signal));
      this.#turn = turn.catch(() => {});
      await turn;
      const isEmpty = parts.every(({ records }) => (records?.length ?? 0) === 0);
      if (isEmpty && clock.now() - askedAtMs < EMPTY_MIN_MS) await this.#patience.wait(signal);
      // A broker fills an answer in the order of the question.
      positions.push(...positions.splice(0, 1));
    }
  }

  /** Says where to go on, and what is to be read before it is live. */
  async #place(link: Link, positions: readonly Position[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#surroundings;
    const [earliest, latest] = await Promise.all([
      this.#offsets(link, positions, EARLIEST, signal),
      this.#offsets(link, positions, LATEST, signal),
    ]);
    let gap: MilenaError | undefined;
    for (const position of positions) {
      const { partition, from, offset } = position;
      const bounds = { earliest: earliest.get(partition) ?? 0, latest: latest.get(partition) ?? 0 };
      position.liveFrom = bounds.latest;
      if (offset === undefined) {
        const timeMs = timeIn(from, clock.now());
        const atTime =
          timeMs === undefined
            ? undefined
            : (await this.#offsets(link, [position], timeMs, signal)).get(partition);
        position.offset = offsetFrom(from, { ...bounds, atTime });
      } else if (position.isOutOfRange) {
        position.offset = Math.max(bounds.earliest, Math.min(offset, bounds.latest));
        position.leaderEpoch = -1;
        if (offset < bounds.earliest) gap ??= this.#gap(partition, offset, bounds.earliest);
      }
      position.isOutOfRange = false;
    }
    const isLive = this.#tellLive();
    if (gap !== undefined || !(isLive || this.#hasFailed)) this.#tell({ state: 'reading', error: gap });
  }

  #gap(partition: number, offset: Offset, earliest: Offset): MilenaError {
    const where = titleOf({ topic: this.#options.topic, partition });
    return refusal(1, where, `${offset} to ${earliest - 1} were deleted before they were read`);
  }

  async #offsets(
    link: Link,
    positions: readonly Position[],
    timestamp: Millis,
    signal: AbortSignal,
  ): Promise<Map<number, Offset>> {
    const { topic } = this.#options;
    const partitions = positions.map(({ partition }) => partition);
    const found = await link.ask(listOffsetsApi, { topic, partitions, timestamp }, signal);
    for (const { partition, errorCode } of found)
      if (errorCode !== 0) throw refusal(errorCode, titleOf({ topic, partition }));
    return new Map(found.map(({ partition, offset }) => [partition, offset]));
  }

  /** What is wrong with one partition is told when the others' records are handed over. */
  async #take(parts: readonly FetchPart[], signal: AbortSignal): Promise<void> {
    const { topic } = this.#options;
    let wrong: MilenaError | undefined;
    for (const { partition, errorCode, divergedAt, records } of parts) {
      const position = this.#positions.get(partition);
      if (position?.offset === undefined) continue;
      if (errorCode !== 0) {
        wrong = refusal(errorCode, titleOf({ topic, partition }));
        position.isOutOfRange = wrong.code === 'OFFSET_OUT_OF_RANGE';
      } else if (divergedAt !== undefined) {
        position.offset = Math.min(position.offset, divergedAt);
        position.leaderEpoch = -1;
      } else if (records !== null) {
        await this.#takeRecords(position, records, signal);
      }
    }
    if (wrong !== undefined) throw wrong;
    if (!signal.aborted) this.#tellLive();
  }

  async #takeRecords(position: Position, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const place = { topic: this.#options.topic, partition: position.partition };
    const before = position.offset;
    for (const batch of readBatches(bytes, place, unpack)) {
      const records = batch.records instanceof Promise ? await batch.records : batch.records;
      for (const record of records) {
        // A batch begins where its producer began it, not where we are.
        if (record.offset < (position.offset ?? 0)) continue;
        if (signal.aborted) return;
        const handled = this.#hand(record);
        if (handled instanceof Promise) await handled;
        position.offset = record.offset + 1;
      }
      if (signal.aborted) return;
      position.offset = Math.max(position.offset ?? 0, batch.nextOffset);
      position.leaderEpoch = batch.leaderEpoch;
    }
    if (position.offset === before && bytes.length > 0)
      throw corrupt(place, 'no batch that was asked for is whole');
  }

  /** What a handler throws is its own affair, and reported as that of an event listener is. */
  #hand(record: TopicRecord): Promise<unknown> | undefined {
    const { report } = this.#surroundings;
    try {
      const result = this.#options.onRecord(record);
      return result instanceof Promise ? result.catch(report) : undefined;
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  /** @returns whether all that there was is read. */
  #tellLive(): boolean {
    for (const { offset = -1, liveFrom } of this.#positions.values()) if (offset < liveFrom) return false;
    this.#patience.reset();
    this.#corrupt = 0;
    this.#tell({ state: 'live' });
    return true;
  }

  #tell(status: Status): void {
    if (this.#life.signal.aborted && status.state !== 'stopped' && status.state !== 'failed') return;
    if (status.state === this.#status.state && status.error === this.#status.error) return;
    this.#status = status;
    this.#options.onStatus(status);
  }
}
