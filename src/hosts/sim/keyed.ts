import { ErrorCode } from '../../model/errors.ts';
import type { Millis, Offset } from '../../model/ids.ts';
import { records } from '../../records/batch.ts';
import { buildBatch } from '../../records/builder.ts';
import { controlType } from '../../records/control.ts';
import { BatchHeader, CRC_START, offsetAfter } from '../../records/header.ts';
import { produceApi } from '../../wire/apis/00-produce.ts';
import { fetchApi } from '../../wire/apis/01-fetch.ts';
import { createTopicsApi } from '../../wire/apis/19-create-topics.ts';
import { initProducerIdApi } from '../../wire/apis/22-init-producer-id.ts';
import { holds } from './broken.ts';
import { type Client, only } from './client.ts';
import { batchesIn } from './ledger.ts';
import { TxnLedger, TxnLog } from './txn/ledger.ts';
import { type Told, TxnProducer } from './txn/producer.ts';
import { AbortedProducers } from './txn/reader.ts';
import { KEYED_TOPIC, type World, answerOf, isTransient } from './world.ts';

const KEYS = 6;
const DELETE_RETENTION_MS = 4_000;
const CONFIGS = [
  { name: 'cleanup.policy', value: 'compact' },
  { name: 'delete.retention.ms', value: String(DELETE_RETENTION_MS) },
  { name: 'min.cleanable.dirty.ratio', value: '0.1' },
];
/** Above it topics have ids. */
const BY_NAME_MAX = 12;

/** What a key was set to last: null deletes it. */
interface Written {
  value: string | null;
  offset: Offset;
  ackedAtMs: Millis;
}

interface Identity {
  producerId: number;
  producerEpoch: number;
  baseSequence: number;
  /** Of its last batch, -1 before the first. */
  lastOffset: Offset;
}

/** What of a log is there and counts. */
interface Found {
  endOffset: Offset;
  /** By offset. */
  values: Map<Offset, { key: string; value: string | null }>;
  /** By producer id: where its batches end. */
  ends: Map<number, Set<Offset>>;
}

/**
 * Writes keys to a topic that is compacted, some in transactions, and checks what is left of it (I13): of each key what
 * was written last and counts, a tombstone as long as it has to stay, and the last batch of every producer (I3).
 */
export class Keyed {
  readonly #world: World;
  readonly #client: Client;
  readonly #newest = new Map<string, Written>();
  /** Everything that was acknowledged, by offset. */
  readonly #history = new Map<Offset, { key: string; value: string | null }>();
  /** What was aborted: it may be there for a while, and nobody may see it. */
  readonly #aborted = new Set<Offset>();
  /** Of what was acknowledged. */
  #endOffset = 0;
  readonly #identities: Identity[] = [];
  readonly #transactional: TxnProducer;
  readonly #log = new TxnLog(KEYED_TOPIC, 0);
  #values = 0;
  /** What became of the last batch is not known, and nobody asks any more. */
  #isOpen = false;

  constructor(world: World, client: Client) {
    this.#world = world;
    this.#client = client;
    this.#transactional = new TxnProducer({ world, client, ledger: new TxnLedger() }, 'keyed');
  }

  async run(): Promise<void> {
    const { random } = this.#client;
    await this.#untilAnswered(() => this.#create());
    while (this.#world.phase !== 'over') {
      await this.#world.scheduler.sleep(random.between(40, 200));
      if (random.chance(0.2)) {
        await this.#transaction();
      } else {
        const identity = await this.#identity();
        if (identity !== undefined) await this.#write(identity);
      }
      if (random.chance(0.1)) await this.check();
    }
  }

  /** Reads all there is. @returns false when something kept it from it. */
  async check(): Promise<boolean> {
    if (this.#isOpen || this.#history.size === 0) return true;
    const startedAtMs = this.#world.scheduler.nowMs;
    const found = await this.#readAll();
    // What is committed is seen once its markers are written.
    if (found === undefined || found.endOffset < this.#endOffset) return false;
    for (const [offset, { key, value }] of found.values) {
      holds(!this.#aborted.has(offset), 'I6', () => `${key}, at ${offset}, was aborted, and is read`);
      const written = this.#history.get(offset);
      holds(written?.key === key && written.value === value, 'I13', () => `${offset} was not written so`);
    }
    for (const [key, written] of this.#newest) this.#checkKey(key, written, found, startedAtMs);
    for (const { producerId, lastOffset } of this.#identities) {
      const isThere = lastOffset < 0 || found.ends.get(producerId)?.has(lastOffset);
      holds(isThere, 'I3', () => `the last batch of producer ${producerId}, to ${lastOffset}, is gone`);
    }
    return true;
  }

  #checkKey(key: string, { value, offset, ackedAtMs }: Written, found: Found, startedAtMs: Millis): void {
    const isThere = found.values.has(offset);
    const mustBeThere = value !== null || startedAtMs < ackedAtMs + DELETE_RETENTION_MS;
    holds(isThere || !mustBeThere, 'I13', () => {
      const what = value === null ? 'tombstone' : 'newest record';
      return `the ${what} of ${key}, at ${offset}, is gone after ${startedAtMs - ackedAtMs} ms`;
    });
    const older = Array.from(found.values).find(([at, one]) => one.key === key && at !== offset);
    holds(isThere || older === undefined, 'I13', () => `${key} was deleted, and is back at ${older?.[0]}`);
  }

  async #create(): Promise<boolean> {
    const topic = {
      name: KEYED_TOPIC,
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: CONFIGS,
    };
    const version = this.#client.versionOf(createTopicsApi);
    const answer = await answerOf(this.#client.request(createTopicsApi, version, { topics: [topic] }));
    const errorCode = answer && only(answer.topics).errorCode;
    return errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS;
  }

  /** Now and then a new one: the others write no more, and their last batches are to stay. */
  async #identity(): Promise<Identity | undefined> {
    const { random } = this.#client;
    const known = this.#identities.at(-1);
    if (known !== undefined && !random.chance(0.04)) return known;
    const answer = await answerOf(
      this.#client.request(initProducerIdApi, this.#client.versionOf(initProducerIdApi), {
        transactionalId: null,
        transactionTimeoutMs: 1_000,
      }),
    );
    if (answer === undefined || answer.errorCode !== ErrorCode.NONE) return undefined;
    const { producerId, producerEpoch } = answer;
    const identity = { producerId, producerEpoch, baseSequence: 0, lastOffset: -1 };
    this.#identities.push(identity);
    return identity;
  }

  /** A few keys are set or deleted. */
  #some(): { key: string; value: string | null }[] {
    const { random } = this.#client;
    return Array.from({ length: 1 + random.int(3) }, () => {
      const value = random.chance(0.2) ? null : `v${++this.#values}`;
      return { key: `k${random.int(KEYS)}`, value };
    });
  }

  /** Whose end nobody knows leaves it open what is there. */
  async #transaction(): Promise<void> {
    const { random } = this.#client;
    const producer = this.#transactional;
    if (producer.identity === undefined && !(await producer.init())) return;
    const batches: { key: string; value: string | null; offset: Offset }[] = [];
    this.#isOpen = true;
    let told: Told = 'done';
    for (let left = 1 + random.int(2); left > 0 && told === 'done'; left--) {
      const some = this.#some();
      const written = await producer.write(this.#log, some);
      told = written.told;
      const { baseOffset } = written;
      if (baseOffset !== undefined)
        batches.push(...some.map((one, index) => ({ ...one, offset: baseOffset + index })));
    }
    const committed = told === 'done' && random.chance(0.6);
    const ended = await producer.end(committed);
    if (ended.told !== 'done') producer.identity = undefined;
    // What was never to be committed does not count, whenever it ends.
    if (committed && ended.told !== 'done') return;
    this.#isOpen = false;
    if (committed) for (const { offset, ...one } of batches) this.#acknowledged(offset, one);
    else for (const { offset } of batches) this.#aborted.add(offset);
  }

  #acknowledged(offset: Offset, { key, value }: { key: string; value: string | null }): void {
    this.#endOffset = offset + 1;
    this.#history.set(offset, { key, value });
    this.#newest.set(key, { value, offset, ackedAtMs: this.#world.scheduler.nowMs });
  }

  async #write(identity: Identity): Promise<void> {
    const timestamp = this.#world.scheduler.now();
    const batch = this.#some().map((one) => ({ ...one, timestamp }));
    const bytes = buildBatch(this.#world.kernels, { records: batch, ...identity });
    this.#isOpen = true;
    let baseOffset = -1;
    await this.#untilAnswered(async () => {
      baseOffset = await this.#produce(bytes);
      return baseOffset >= 0;
    });
    if (baseOffset < 0) return;
    this.#isOpen = false;
    for (const [index, one] of batch.entries()) this.#acknowledged(baseOffset + index, one);
    identity.baseSequence += batch.length;
    identity.lastOffset = baseOffset + batch.length - 1;
  }

  /** @returns its base offset, -1 when it is to be sent again. */
  async #produce(bytes: Uint8Array): Promise<Offset> {
    const version = Math.min(BY_NAME_MAX, this.#client.versionOf(produceApi, 3));
    const partitionData = [{ index: 0, records: bytes.slice() }];
    const topicData = [{ name: KEYED_TOPIC, partitionData }];
    const answer = await answerOf(
      this.#client.request(produceApi, version, { acks: -1, timeoutMs: 1_000, topicData }),
    );
    const answered = answer && only(only(answer.responses).partitionResponses);
    if (answered === undefined || isTransient(answered.errorCode)) return -1;
    const { errorCode, baseOffset } = answered;
    holds(errorCode === ErrorCode.NONE, 'I3', () => `a batch for a compacted log is refused: ${errorCode}`);
    return baseOffset;
  }

  /** Until it says so, or all is over. */
  async #untilAnswered(ask: () => Promise<boolean>): Promise<void> {
    while (!(await ask())) {
      if (this.#world.phase === 'over') return;
      await this.#world.scheduler.sleep(this.#client.random.between(30, 300));
    }
  }

  async #readAll(): Promise<Found | undefined> {
    const found: Found = { endOffset: Infinity, values: new Map(), ends: new Map() };
    for (let fetchOffset = 0; fetchOffset < found.endOffset;) {
      const version = Math.min(BY_NAME_MAX, this.#client.versionOf(fetchApi, 4));
      const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 5_000 }];
      const topics = [{ topic: KEYED_TOPIC, partitions }];
      const asked = { maxWaitMs: 0, minBytes: 0, topics, sessionId: 0, sessionEpoch: -1, isolationLevel: 1 };
      const answer = await answerOf(this.#client.request(fetchApi, version, asked));
      const partition = answer && answer.responses[0]?.partitions[0];
      if (partition === undefined || partition.errorCode !== ErrorCode.NONE) return undefined;
      found.endOffset = partition.lastStableOffset;
      const bytes = partition.records ?? new Uint8Array(0);
      const aborted = new AbortedProducers(partition.abortedTransactions ?? []);
      if (!(await this.#take(bytes, aborted, found))) return undefined;
      const next = offsetAfter(bytes);
      if (next === undefined && fetchOffset < found.endOffset) return undefined;
      fetchOffset = next ?? found.endOffset;
    }
    return found;
  }

  /** @returns false when a bit was read wrong. */
  async #take(bytes: Uint8Array, aborted: AbortedProducers, { values, ends }: Found): Promise<boolean> {
    const batches: Uint8Array[] = [];
    batchesIn(bytes, (header) => batches.push(header.bytes));
    for (const batch of batches) {
      const header = new BatchHeader(batch);
      const { kernels } = this.#world;
      if (kernels.crc32c(batch.subarray(CRC_START)) !== header.crc) return false;
      const own = ends.get(header.producerId) ?? new Set();
      ends.set(header.producerId, own.add(header.lastOffset));
      const isKept = aborted.admit(header);
      for (const { offset, key, value } of await records(batch, kernels, new Map())) {
        if (header.isControl) aborted.ended(header.producerId, controlType(key));
        else if (isKept) values.set(offset, { key: textOf(key) ?? '', value: textOf(value) });
      }
    }
    return true;
  }
}

const utf8 = new TextDecoder();

function textOf(bytes: Uint8Array | null): string | null {
  return bytes && utf8.decode(bytes);
}
