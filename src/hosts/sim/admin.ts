import { ErrorCode } from '../../model/errors.ts';
import { ZERO_UUID } from '../../model/ids.ts';
import { createTopicsApi } from '../../wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../wire/apis/20-delete-topics.ts';
import { deleteRecordsApi } from '../../wire/apis/21-delete-records.ts';
import { listOffsetsApi } from '../../wire/apis/02-list-offsets.ts';
import { createPartitionsApi } from '../../wire/apis/37-create-partitions.ts';
import { Broken, holds } from './broken.ts';
import { type Client, only } from './client.ts';
import type { LogLedger } from './ledger.ts';
import { type World, answerOf, goesById, isTransient, isUnheardOf, lookAround } from './world.ts';

const LATEST = -1;
const EARLIEST = -2;
const PARTITIONS_MAX = 4;
/** Topics that stay, and their partitions. */
const BASE = new Map([
  ['base-a', 2],
  ['base-b', 1],
]);
const TEMPORARY = ['temp-0', 'temp-1', 'temp-2'];

/** Makes topics, takes them away, deletes records, asks where offsets are. */
export class Admin {
  readonly #world: World;
  readonly #client: Client;

  constructor(world: World, client: Client) {
    this.#world = world;
    this.#client = client;
  }

  async run(): Promise<void> {
    const { random } = this.#client;
    while (this.#world.phase !== 'over') {
      const missing = [...BASE].find(([name]) => this.#world.ledger.topic(name) === undefined);
      if (missing) await this.#create(...missing);
      await this.#world.scheduler.sleep(random.between(80, 400));
      await this.#doSomething();
    }
  }

  async #doSomething(): Promise<void> {
    const { random } = this.#client;
    const chance = random.next();
    const log = this.#someLog();
    if (chance < 0.15) await lookAround(this.#world, this.#client);
    else if (chance < 0.2) await this.#create(random.pick(TEMPORARY), 1 + random.int(2));
    else if (chance < 0.24) await this.#delete(random.pick(TEMPORARY));
    else if (chance < 0.25) await this.#grow('base-b');
    else if (log === undefined) return;
    else if (chance < 0.27) await this.#deleteRecords(log);
    else if (chance < 0.5) await this.#ends(log);
    else await this.#byTime(log);
  }

  /** Their names mean the same log for ever. */
  #someLog(): LogLedger | undefined {
    const logs = this.#world.ledger.topics().flatMap((topic) => topic.logs);
    const lasting = logs.filter((log) => !goesById(log));
    return lasting.length === 0 ? undefined : this.#client.random.pick(lasting);
  }

  async #create(name: string, numPartitions: number): Promise<void> {
    const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] };
    const version = this.#client.versionOf(createTopicsApi);
    const answer = await answerOf(this.#client.request(createTopicsApi, version, { topics: [topic] }));
    const created = answer && only(answer.topics);
    if (created === undefined || isTransient(created.errorCode)) return;
    const { errorCode, topicId } = created;
    if (errorCode === ErrorCode.NONE && topicId !== ZERO_UUID)
      this.#world.ledger.seen(name, topicId, numPartitions);
    else if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS)
      await lookAround(this.#world, this.#client);
    else throw new Broken('I17', `creating ${name} gives ${errorCode}`);
  }

  async #delete(name: string): Promise<void> {
    const topic = this.#world.ledger.topic(name);
    if (topic === undefined) return;
    topic.isDoomed = true;
    const version = this.#client.versionOf(deleteTopicsApi, 6);
    const topics = [{ name: null, topicId: topic.id }];
    await answerOf(
      this.#client.request(deleteTopicsApi, version, { topics, topicNames: [], timeoutMs: 5_000 }),
    );
  }

  async #grow(name: string): Promise<void> {
    const topic = this.#world.ledger.topic(name);
    const count = (topic?.logs.length ?? PARTITIONS_MAX) + 1;
    if (topic === undefined || count > PARTITIONS_MAX) return;
    const version = this.#client.versionOf(createPartitionsApi);
    const body = { topics: [{ name, count, assignments: null }], timeoutMs: 5_000, validateOnly: false };
    const answer = await answerOf(this.#client.request(createPartitionsApi, version, body));
    if (answer && only(answer.results).errorCode === ErrorCode.NONE) topic.grownTo(count);
  }

  /** Of what was promised: the high watermark is not below it. */
  async #deleteRecords(log: LogLedger): Promise<void> {
    const { topic, partition, trimmed, promisedEnd, losses } = log;
    const offset = trimmed.most + this.#client.random.int(Math.max(1, (promisedEnd - trimmed.most) / 2));
    if (offset > promisedEnd) return;
    trimmed.most = Math.max(trimmed.most, offset);
    const version = this.#client.versionOf(deleteRecordsApi);
    const topics = [{ name: topic.name, partitions: [{ partitionIndex: partition, offset }] }];
    const answer = await answerOf(
      this.#client.request(deleteRecordsApi, version, { topics, timeoutMs: 1_000 }),
    );
    const deleted = answer && only(only(answer.topics).partitions);
    if (deleted === undefined || isTransient(deleted.errorCode) || log.losses !== losses) return;
    if (isUnheardOf(this.#world, deleted.errorCode)) return;
    const { errorCode, lowWatermark } = deleted;
    holds(errorCode === ErrorCode.NONE && lowWatermark >= offset, 'I14', () => {
      return `${log.title}: deleting below ${offset} gives ${errorCode}, and a start at ${lowWatermark}`;
    });
    trimmed.least = Math.max(trimmed.least, offset);
  }

  /** The end is beyond all that was promised, the start where trims have put it. */
  async #ends(log: LogLedger): Promise<void> {
    const { promisedEnd, trimmed, losses } = log;
    const { least } = trimmed;
    const latest = await this.#listOffsets(log, LATEST);
    if (latest === undefined || log.losses !== losses) return;
    holds(latest.offset >= promisedEnd, 'I1', () => {
      return `${log.title} ends at ${latest.offset}, ${promisedEnd} was promised`;
    });
    const earliest = await this.#listOffsets(log, EARLIEST);
    if (earliest === undefined || log.losses !== losses) return;
    holds(earliest.offset >= least && earliest.offset <= trimmed.most, 'I14', () => {
      return `${log.title} starts at ${earliest.offset}, not within ${least} to ${trimmed.most}`;
    });
  }

  async #byTime(log: LogLedger): Promise<void> {
    const { random } = this.#client;
    const { promisedEnd, losses } = log;
    const target = this.#world.scheduler.now() - random.int(40_000);
    const found = await this.#listOffsets(log, target);
    if (found === undefined || log.losses !== losses) return;
    const known = log.firstAt(target, promisedEnd);
    holds(known === undefined || (found.offset >= 0 && found.offset <= known), 'I15', () => {
      return `${log.title}: ${known} is of ${target} or later, and ${found.offset} is said to be the first`;
    });
    const place = log.ownerOf(found.offset);
    const timestamp = place?.sent.timestamps[found.offset - place.baseOffset] ?? Infinity;
    holds(found.offset < 0 || timestamp >= target, 'I15', () => {
      return `${log.title}: ${found.offset} is of ${timestamp}, asked for ${target}`;
    });
  }

  async #listOffsets(log: LogLedger, timestamp: number): Promise<{ offset: number } | undefined> {
    const { topic, partition } = log;
    const version = this.#client.versionOf(listOffsetsApi, 1);
    const partitions = [{ partitionIndex: partition, timestamp }];
    const answer = await answerOf(
      this.#client.request(listOffsetsApi, version, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: topic.name, partitions }],
        timeoutMs: 1_000,
      }),
    );
    const found = answer && only(only(answer.topics).partitions);
    if (found === undefined || isTransient(found.errorCode) || log.isDoomed) return undefined;
    if (isUnheardOf(this.#world, found.errorCode)) return undefined;
    holds(found.errorCode === ErrorCode.NONE, 'I1', () => `offsets of ${log.title}: ${found.errorCode}`);
    return found;
  }
}
