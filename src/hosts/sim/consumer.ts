import { BatchFault } from '../../kernels/kernels.ts';
import { ErrorCode } from '../../model/errors.ts';
import type { LeaderEpoch, LogKey, Offset } from '../../model/ids.ts';
import type { BatchHeader } from '../../records/header.ts';
import { fetchApi } from '../../wire/apis/01-fetch.ts';
import { offsetForLeaderEpochApi } from '../../wire/apis/23-offset-for-leader-epoch.ts';
import type { FetchedPartition } from '../../wire/fetched.ts';
import type { Poll } from './anomalies/history.ts';
import { Broken, holds } from './broken.ts';
import { type Client, only } from './client.ts';
import { type LogLedger, batchesIn } from './ledger.ts';
import {
  type World,
  answerOf,
  goesById,
  isTransient,
  isUnheardOf,
  isUnknownTopic,
  lookAround,
} from './world.ts';

/** Where a reader of one log is, and what it was told last. */
export interface Position {
  offset: Offset;
  /** Of the batch before it, -1 when there is none or its epoch is not known. */
  lastEpoch: LeaderEpoch;
  highWatermark: Offset;
  /** Losses of the log that this reader knows of. */
  losses: number;
  isRead: boolean;
  /** It was put here, and did not read its way. */
  isMoved: boolean;
}

/** A batch of an answer, and when that was asked for. */
interface Taken {
  bytes: Uint8Array;
  header: BatchHeader;
  askedAtMs: number;
}

const TOPIC_IDS_VERSION = 13;
const DIVERGENCE_VERSION = 12;
/** For a log of a seed, with room for failures. */
const READ_ALL_FETCHES = 400;

/** Reads logs batch by batch and checks that nothing is skipped, nothing changed and nothing uncommitted. */
export class Reader {
  readonly #world: World;
  readonly #client: Client;
  readonly #attached: 'assign' | 'subscribe';
  #epochs: ReadonlyMap<LogKey, LeaderEpoch> = new Map();
  /** Of the fetch that is being taken. */
  #polls: Poll[] = [];
  #moved: string[] = [];

  constructor(world: World, client: Client, attached: 'assign' | 'subscribe' = 'assign') {
    this.#world = world;
    this.#client = client;
    this.#attached = attached;
  }

  start(log: LogLedger, offset: Offset): Position {
    return {
      offset,
      lastEpoch: -1,
      highWatermark: 0,
      losses: log.losses,
      isRead: false,
      isMoved: true,
    };
  }

  /** One fetch of all these logs; positions move. @returns whether it was answered. */
  async fetch(positions: ReadonlyMap<LogLedger, Position>, wait: { maxWaitMs: number; minBytes: number }) {
    const logs = [...positions.keys()];
    const version = this.#client.versionOf(fetchApi, logs.some(goesById) ? TOPIC_IDS_VERSION : 5);
    const { random } = this.#client;
    const askedAtMs = this.#world.scheduler.nowMs;
    const topics = [...positions].map(([{ topic, partition, log }, { offset, lastEpoch }]) => ({
      topic: topic.name,
      topicId: topic.id,
      partitions: [
        {
          partition,
          currentLeaderEpoch: this.#epochs.get(log) ?? -1,
          fetchOffset: offset,
          lastFetchedEpoch: version >= DIVERGENCE_VERSION ? lastEpoch : -1,
          partitionMaxBytes: random.pick([1, 500, 4_000, 100_000]),
        },
      ],
    }));
    const body = { ...wait, maxBytes: random.pick([1, 5_000, 1_000_000]), topics, forgottenTopicsData: [] };
    const answer = await answerOf(
      this.#client.request(fetchApi, version, { ...body, isolationLevel: random.int(2), rackId: '' }),
    );
    if (answer === undefined) return false;
    for (const { topic, topicId, partitions } of answer.responses) {
      for (const partition of partitions) {
        const found = [...positions].find(
          ([{ topic: wanted, partition: index }]) =>
            index === partition.partitionIndex &&
            (version >= TOPIC_IDS_VERSION ? wanted.id === topicId : wanted.name === topic),
        );
        holds(
          found,
          'I16',
          () => `a fetch is answered for ${topic}-${partition.partitionIndex}, not asked for`,
        );
        await this.#take(found[0], found[1], partition, askedAtMs);
      }
    }
    this.#record(askedAtMs);
    return true;
  }

  #record(beganAtMs: number): void {
    if (this.#polls.length === 0) return;
    this.#world.recorder.add({
      process: this.#client.name,
      outcome: 'ok',
      attached: this.#attached,
      beganAtMs,
      steps: this.#polls,
      moved: this.#moved,
    });
    this.#polls = [];
    this.#moved = [];
  }

  /** All from `position` on to the end of the log. @returns false when there was no end within some fetches. */
  async readAll(log: LogLedger, position: Position): Promise<boolean> {
    for (let attempt = 0; attempt < READ_ALL_FETCHES; attempt++) {
      await this.fetch(new Map([[log, position]]), { maxWaitMs: 0, minBytes: 0 });
      if (position.isRead && position.offset >= position.highWatermark) return true;
    }
    return false;
  }

  async #take(
    log: LogLedger,
    position: Position,
    partition: FetchedPartition,
    askedAtMs: number,
  ): Promise<void> {
    if (log.isDoomed || askedAtMs <= log.lostAtMs) return;
    const { errorCode } = partition;
    if (errorCode === ErrorCode.NONE) return this.#takeRecords(log, position, partition, askedAtMs);
    if (isTransient(errorCode)) return;
    if (errorCode === ErrorCode.FENCED_LEADER_EPOCH || errorCode === ErrorCode.UNKNOWN_LEADER_EPOCH)
      return this.#learnEpochs(log, position);
    if (isUnheardOf(this.#world, errorCode)) return;
    if (isUnknownTopic(errorCode))
      throw new Broken('I1', `${log.title} was there, a fetch gives ${errorCode}`);
    holds(errorCode === ErrorCode.OFFSET_OUT_OF_RANGE, 'I17', () => `a fetch gives ${errorCode}`);
    const mayBeBeyond = log.losses > position.losses || this.#world.ledger.hasLostMetadata;
    const isExcused = mayBeBeyond || position.offset < log.trimmed.most;
    holds(isExcused, 'I4', () => {
      const { logStartOffset, highWatermark } = partition;
      return `${log.title} has ${logStartOffset} to ${highWatermark}, ${position.offset} is out of range`;
    });
    Object.assign(position, this.start(log, Math.max(partition.logStartOffset, 0)));
  }

  #takeRecords(log: LogLedger, position: Position, partition: FetchedPartition, askedAtMs: number): void {
    const { highWatermark, lastStableOffset, logStartOffset, divergingEpoch } = partition;
    if (divergingEpoch.epoch >= 0) return this.#diverged(log, position, divergingEpoch.endOffset);
    if (position.losses !== log.losses)
      Object.assign(position, { losses: log.losses, highWatermark: 0, lastEpoch: -1 });
    holds(
      logStartOffset <= lastStableOffset && lastStableOffset <= highWatermark,
      'I4',
      () => `${log.title} says ${logStartOffset} <= ${lastStableOffset} <= ${highWatermark}`,
    );
    holds(
      this.#world.gatewaysLag || highWatermark >= position.highWatermark,
      'I4',
      () => `the high watermark of ${log.title} goes back from ${position.highWatermark} to ${highWatermark}`,
    );
    holds(logStartOffset <= log.trimmed.most, 'I14', () => `${log.title} starts at ${logStartOffset}`);
    position.highWatermark = Math.max(highWatermark, position.highWatermark);
    position.isRead = true;
    log.promisedEnd = Math.max(log.promisedEnd, highWatermark);
    const bytes = partition.records ?? new Uint8Array(0);
    let isDamaged = false;
    const read = batchesIn(bytes, (header) => {
      isDamaged ||= !this.#takeBatch(log, position, { bytes, header, askedAtMs });
    });
    holds(read === bytes.length, 'I18', () => `${log.title} gives half a batch`);
  }

  /** @returns false when it is damaged: it is read again later. */
  #takeBatch(log: LogLedger, position: Position, { bytes, header, askedAtMs }: Taken): boolean {
    const { baseOffset, lastOffset } = header;
    const batch = bytes.subarray(header.position, header.position + header.sizeBytes);
    const fault = this.#world.kernels.validateBatch(batch);
    if (fault !== BatchFault.none) return this.#requireFlip(log, `a false batch (${fault})`, askedAtMs);
    const { offset } = position;
    holds(baseOffset <= offset || offset < log.trimmed.most, 'I5', () => {
      return `${log.title}: asked for ${offset}, got ${baseOffset}: what is between is skipped`;
    });
    holds(lastOffset >= offset, 'I5', () => `${log.title}: asked for ${offset}, got up to ${lastOffset}`);
    holds(lastOffset < position.highWatermark, 'I4', () => {
      return `${log.title}: ${lastOffset} is given out, the high watermark is ${position.highWatermark}`;
    });
    const { values } = log.read(bytes, header);
    this.#polls.push({
      type: 'poll',
      key: log.log,
      records: values
        .map((value, index) => ({ offset: baseOffset + index, value }))
        .filter((record) => record.offset >= offset),
    });
    if (position.isMoved) this.#moved.push(log.log);
    position.isMoved = false;
    position.offset = lastOffset + 1;
    position.lastEpoch = header.partitionLeaderEpoch;
    return true;
  }

  #requireFlip(log: LogLedger, what: string, askedAtMs: number): false {
    holds(this.#world.wasFlipped(log, askedAtMs), 'I18', () => `${log.title} gives ${what}`);
    return false;
  }

  #diverged(log: LogLedger, position: Position, endOffset: Offset): void {
    holds(
      log.losses > position.losses,
      'I2',
      () => `${log.title} diverges at ${endOffset} from what was read`,
    );
    Object.assign(position, this.start(log, Math.min(position.offset, endOffset)));
  }

  /** There is another leader epoch: where did the one we read last end (KIP-320)? */
  async #learnEpochs(ledger: LogLedger, position: Position): Promise<void> {
    const { log, topic, partition, title } = ledger;
    const epochs = await lookAround(this.#world, this.#client);
    if (epochs === undefined) return;
    this.#epochs = epochs;
    if (position.lastEpoch < 0 || ledger.isDoomed || goesById(ledger)) return;
    const askedAtMs = this.#world.scheduler.nowMs;
    const asked = { partition, currentLeaderEpoch: epochs.get(log) ?? -1, leaderEpoch: position.lastEpoch };
    const answer = await answerOf(
      this.#client.request(offsetForLeaderEpochApi, this.#client.versionOf(offsetForLeaderEpochApi, 2), {
        topics: [{ topic: topic.name, partitions: [asked] }],
      }),
    );
    if (answer === undefined || ledger.isDoomed || askedAtMs <= ledger.lostAtMs) return;
    const { errorCode, leaderEpoch, endOffset } = only(only(answer.topics).partitions);
    if (errorCode !== ErrorCode.NONE) return;
    if (leaderEpoch === position.lastEpoch && endOffset >= position.offset) return;
    holds(ledger.losses > position.losses, 'I4', () => {
      return `${title}: epoch ${position.lastEpoch} ends at ${endOffset} (${leaderEpoch}), ${position.offset} was read`;
    });
    Object.assign(position, this.start(ledger, Math.max(0, Math.min(position.offset, endOffset))));
  }
}

/** Follows some logs, now and then from elsewhere. */
export class Consumer {
  readonly #world: World;
  readonly #client: Client;
  readonly #reader: Reader;
  readonly #positions = new Map<LogLedger, Position>();

  constructor(world: World, client: Client) {
    this.#world = world;
    this.#client = client;
    this.#reader = new Reader(world, client);
  }

  async run(): Promise<void> {
    const { random } = this.#client;
    while (this.#world.phase !== 'over') {
      await this.#world.scheduler.sleep(random.between(30, 250));
      const logs = this.#world.ledger.topics().flatMap((topic) => topic.logs);
      if (logs.length === 0) continue;
      const byId = goesById(random.pick(logs));
      const wanted = logs.filter((log) => goesById(log) === byId && random.chance(0.6));
      const positions = new Map(wanted.map((log) => [log, this.#positionIn(log)]));
      if (positions.size === 0) continue;
      const maxWaitMs = random.pick([0, 100, 500]);
      await this.#reader.fetch(positions, { maxWaitMs, minBytes: random.pick([1, 1, 2_000]) });
    }
  }

  #positionIn(log: LogLedger): Position {
    const { random } = this.#client;
    let position = this.#positions.get(log);
    if (position === undefined || random.chance(0.05)) {
      const isMiddle = log.promisedEnd > 0 && random.chance(0.5);
      position = this.#reader.start(log, isMiddle ? random.int(log.promisedEnd) : log.trimmed.most);
      this.#positions.set(log, position);
    }
    return position;
  }
}
