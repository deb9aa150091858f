import type { LogKey } from '../../model/ids.ts';
import { ErrorCode } from '../../model/errors.ts';
import { buildBatch, recompress } from '../../records/builder.ts';
import { CODEC } from '../../records/codecs.ts';
import { produceApi } from '../../wire/apis/00-produce.ts';
import { initProducerIdApi } from '../../wire/apis/22-init-producer-id.ts';
import { simCodecs } from './codecs.ts';
import { Broken, holds } from './broken.ts';
import { type Client, only } from './client.ts';
import type { LogLedger, Sent } from './ledger.ts';
import type { Send } from './anomalies/history.ts';
import { type World, answerOf, goesById, isTransient, isUnheardOf, isUnknownTopic } from './world.ts';

const TOPIC_IDS_VERSION = 13;
/** The broker remembers so many batches of a producer. */
const REMEMBERED_BATCHES = 5;
const ATTEMPTS_MAX = 60;

/** A batch on its way. */
interface Outgoing {
  sent: Sent;
  bytes: Uint8Array;
}

interface Identity {
  producerId: number;
  producerEpoch: number;
  /** The next one, by log. */
  sequences: Map<LogKey, number>;
  /** Acknowledged last, by log, oldest first. */
  recent: Map<LogKey, Outgoing[]>;
  /** Losses of a log when it was first written to. */
  losses: Map<LogKey, number>;
}

type Outcome = 'done' | 'again' | 'out of order' | 'given up';

/** Writes batches, each with a value like no other, and tells the ledger what was answered. */
export class Producer {
  readonly #world: World;
  readonly #client: Client;
  readonly #isIdempotent: boolean;
  #identity: Identity | undefined;
  #made = 0;

  constructor(world: World, client: Client, isIdempotent: boolean) {
    this.#world = world;
    this.#client = client;
    this.#isIdempotent = isIdempotent;
  }

  async run(): Promise<void> {
    const { random } = this.#client;
    while (this.#world.phase !== 'over') {
      await this.#world.scheduler.sleep(random.between(50, 350));
      const logs = this.#world.ledger.topics().flatMap((topic) => topic.logs);
      if (logs.length === 0) continue;
      const log = random.pick(logs);
      const beganAtMs = this.#world.scheduler.nowMs;
      const sent: Sent[] = [];
      if (this.#isIdempotent) await this.#writeInOrder(log, sent);
      else await this.#writeOnce(log, sent);
      this.#record(sent, beganAtMs);
    }
  }

  #record(sent: readonly Sent[], beganAtMs: number): void {
    if (sent.length === 0) return;
    this.#world.recorder.add({
      process: this.#client.name,
      outcome: sent.every(({ isAcknowledged }) => isAcknowledged) ? 'ok' : 'info',
      beganAtMs,
      steps: sent.flatMap(sendsOf),
    });
  }

  async #writeOnce(log: LogLedger, sent: Sent[]): Promise<void> {
    const { random } = this.#client;
    const outgoing = this.#build(log, undefined);
    sent.push(outgoing.sent);
    const acks = random.pick([0, 1, -1]);
    for (let attempt = 0; attempt < 3; attempt++) {
      if (acks === 0) {
        await answerOf(this.#client.send(produceApi, this.#versionFor(log), produceRequest(outgoing, 0)));
        return;
      }
      const outcome = await this.#produce(outgoing, acks);
      if (outcome !== 'again' || random.chance(0.5)) return;
      await this.#world.scheduler.sleep(random.between(50, 400));
    }
  }

  /** Some batches at once on one connection; those without an answer are sent again, in order, until all have one. */
  async #writeInOrder(log: LogLedger, sent: Sent[]): Promise<void> {
    const { random } = this.#client;
    const identity = (this.#identity ??= await this.#newIdentity());
    if (identity === undefined) return;
    const outgoing = Array.from({ length: 1 + random.int(3) }, () => this.#build(log, identity));
    sent.push(...outgoing.map((batch) => batch.sent));
    let open = outgoing;
    for (let attempt = 0; open.length > 0; attempt++) {
      if (attempt === ATTEMPTS_MAX || this.#world.phase === 'over') return this.#forget();
      if (attempt > 0) await this.#world.scheduler.sleep(random.between(30, 300));
      // Else each request would connect again by itself, and they would overtake each other.
      if ((await answerOf(this.#client.connect())) === undefined) continue;
      const outcomes = await Promise.all(open.map((batch) => this.#produce(batch, -1)));
      if (outcomes.includes('given up')) return this.#forget();
      const first = outcomes.indexOf('out of order');
      if (first >= 0 && !outcomes.slice(0, first).includes('again')) return this.#outOfOrder(log, identity);
      open = open.filter((_, number) => outcomes[number] !== 'done');
    }
    const recent = [...(identity.recent.get(log.log) ?? []), ...outgoing].slice(-REMEMBERED_BATCHES);
    identity.recent.set(log.log, recent);
    if (random.chance(0.15)) await this.#repeat(random.pick(recent), identity);
  }

  /** The sequence is right, unless the log was allowed to lose what came before. */
  #outOfOrder(log: LogLedger, identity: Identity): void {
    const what = () => `${log.title} forgot where producer ${identity.producerId} was`;
    holds(mayHaveLost(log, identity), 'I3', what);
    this.#forget();
  }

  /** A client whose answer was lost asks again; this one only says that it was. */
  async #repeat(outgoing: Outgoing, identity: Identity): Promise<void> {
    const { sent } = outgoing;
    const before = sent.places[0];
    // Lost, as it may be: the same request is another one now.
    if (before === undefined) return;
    const outcome = await this.#produce(outgoing, -1);
    const { log } = sent;
    if (outcome === 'again' || outcome === 'given up') return;
    if (mayHaveLost(log, identity)) return this.#forget();
    holds(outcome === 'done', 'I9', () => `batch ${sent.id} of ${log.title}, sent again, is ${outcome}`);
    holds(before === sent.places[0], 'I9', () => `batch ${sent.id} of ${log.title} has another offset now`);
  }

  async #produce(outgoing: Outgoing, acks: number): Promise<Outcome> {
    const { sent } = outgoing;
    const { log } = sent;
    const askedAtMs = this.#world.scheduler.nowMs;
    const request = produceRequest(outgoing, acks);
    const answer = await answerOf(this.#client.request(produceApi, this.#versionFor(log), request));
    if (answer === undefined) {
      this.#world.scheduler.note(`${log.title} batch ${sent.id} is not answered`);
      return 'again';
    }
    const { errorCode, baseOffset, errorMessage } = only(only(answer.responses).partitionResponses);
    const what = `${log.title} batch ${sent.id} (${sent.producerId}: ${sent.baseSequence}, ${sent.count})`;
    this.#world.scheduler.note(`${what} is answered ${errorCode}, ${baseOffset}`);
    if (errorCode === ErrorCode.NONE) {
      // It went to whatever has the name by now.
      if (log.isDoomed) return 'given up';
      if (askedAtMs > log.lostAtMs) log.acknowledged(sent, baseOffset);
      return 'done';
    }
    if (isTransient(errorCode)) return 'again';
    if (errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) return 'out of order';
    if (!log.isDoomed && isUnheardOf(this.#world, errorCode)) return 'again';
    if (isUnknownTopic(errorCode)) {
      holds(log.isDoomed, 'I1', () => `${log.title} was there, and producing to it gives ${errorCode}`);
      return 'given up';
    }
    throw new Broken('I17', `producing to ${log.title} gives ${errorCode} (${errorMessage})`);
  }

  #versionFor(log: LogLedger): number {
    return this.#client.versionOf(produceApi, goesById(log) ? TOPIC_IDS_VERSION : 7);
  }

  async #newIdentity(): Promise<Identity | undefined> {
    const body = { transactionalId: null, transactionTimeoutMs: 60_000 };
    const version = this.#client.versionOf(initProducerIdApi);
    const answer = await answerOf(this.#client.request(initProducerIdApi, version, body));
    if (answer === undefined || isTransient(answer.errorCode)) return undefined;
    const { errorCode, producerId, producerEpoch } = answer;
    holds(errorCode === ErrorCode.NONE, 'I17', () => `InitProducerId gives ${errorCode}`);
    // Two producers of one id would be taken for one: this one asks again later.
    if (!this.#world.ledger.producerIdGiven(producerId)) return undefined;
    return { producerId, producerEpoch, sequences: new Map(), recent: new Map(), losses: new Map() };
  }

  /** What is under way may or may not be in the log: only a new id can go on. */
  #forget(): void {
    this.#identity = undefined;
  }

  #build(log: LogLedger, identity: Identity | undefined): Outgoing {
    const { random } = this.#client;
    const { kernels, scheduler } = this.#world;
    const count = 1 + random.int(4);
    const baseMs = scheduler.now() - random.int(5_000);
    const timestamps = Array.from({ length: count }, () => baseMs + random.int(200));
    const name = `${this.#client.name}.${++this.#made}.`;
    const records = timestamps.map((timestamp, number) => ({
      key: random.chance(0.5) ? new TextEncoder().encode(`key ${random.int(20)}`) : null,
      value: valueOf(name + number, random.chance(0.03) ? 3_000 : random.int(300)),
      timestamp,
    }));
    const values = records.map((_, number) => name + number);
    const baseSequence = identity?.sequences.get(log.log) ?? 0;
    identity?.sequences.set(log.log, baseSequence + count);
    if (identity && !identity.losses.has(log.log)) identity.losses.set(log.log, log.losses);
    const plain = buildBatch(kernels, {
      records,
      ...(identity && {
        producerId: identity.producerId,
        producerEpoch: identity.producerEpoch,
        baseSequence,
      }),
    });
    const codec = random.chance(0.2) ? random.pick([CODEC.snappy, CODEC.lz4]) : CODEC.none;
    // Both codecs are sync.
    const bytes = recompress({ kernels, codecs: simCodecs(kernels) }, plain, codec) as Uint8Array;
    return { bytes, sent: this.#world.ledger.send(log, bytes, { timestamps, values }) };
  }
}

/** Whether the log was allowed to lose what this producer wrote to it. */
function mayHaveLost({ log, losses, isDoomed }: LogLedger, identity: Identity): boolean {
  return isDoomed || losses > (identity.losses.get(log) ?? 0);
}

/** By the offsets it was told, if it was. */
function sendsOf({ log, values, places, isAcknowledged, producerId }: Sent): Send[] {
  const baseOffset = isAcknowledged ? places[0]?.baseOffset : undefined;
  return values.map((value, index) => ({
    type: 'send',
    key: log.log,
    value,
    ...(baseOffset !== undefined && { offset: baseOffset + index }),
    ...(producerId < 0 && { mayRepeat: true }),
  }));
}

/** Begins with what no other value does; the rest is the same text over and over, as values are. */
function valueOf(name: string, fillBytes: number): Uint8Array {
  return new TextEncoder().encode(name.padEnd(name.length + fillBytes, name));
}

/** The broker stamps the batch it gets: each request takes its own. */
function produceRequest({ sent, bytes }: Outgoing, acks: number) {
  const { topic, partition } = sent.log;
  const partitionData = [{ index: partition, records: bytes }];
  return {
    transactionalId: null,
    acks,
    timeoutMs: 2_000,
    topicData: [{ name: topic.name, topicId: topic.id, partitionData }],
  };
}
