import { type Consumer, Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import type { MortalBroker } from '../support/mortal-broker.ts';
import type { KeyedRecord } from './flights.ts';
import type { Delivered, Ledger } from './ledger.ts';

export const TOPIC = 'flights';
export const PARTITIONS = 6;
const GROUP = 'flight-watchers';
const MEMBERS = 3;
const PRODUCERS = 3;
const RECORDS_A_SEND = 1_000;
/** Small, so that a phase is many fetches and commits and a kill falls between them. */
const FETCH_MAX_BYTES = 32 * 1024;
const COMMIT_EVERY_RECORDS = 2_000;

/**
 * kafkajs as it comes. Its own retries carry it over a restart, and an idempotent producer repeats a batch whose
 * answer was lost under the same sequence numbers, so that the broker can tell.
 */
export function client(broker: MortalBroker): Kafka {
  return new Kafka({
    clientId: 'demo',
    brokers: [broker.address],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1_000 },
  });
}

/** Kills the broker as soon as so many records are through, again and again, and brings it back. */
export class Killer {
  readonly #broker: MortalBroker;
  readonly #moments: number[];
  #reviving = Promise.resolve();

  constructor(broker: MortalBroker, moments: readonly number[]) {
    this.#broker = broker;
    this.#moments = [...moments];
  }

  /** To be told often: the moment comes in the middle of whatever is under way. */
  passed(count: number): void {
    const next = this.#moments[0];
    if (next === undefined || count < next) return;
    this.#moments.shift();
    const killed = this.#broker.kill();
    this.#reviving = killed.then(() => this.#broker.revive());
  }

  /** Resolves when the broker lives. @throws when it could not be brought back, or was not killed as often as meant. */
  async done(): Promise<void> {
    await this.#reviving;
    if (this.#moments.length > 0) throw new Error('the phase ended before the broker was killed as planned');
  }
}

/**
 * Sends all records and says how many were acknowledged. Each producer has keys of its own and sends their records
 * one batch after the other, so that a key keeps its order; at a kill the others' batches are somewhere on the way.
 */
export async function produceAll(
  kafka: Kafka,
  records: readonly KeyedRecord[],
  killer: Killer,
): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS }] });
  await admin.disconnect();
  const shares = Object.values(Object.groupBy(records, ({ key }) => Number.parseInt(key, 10) % PRODUCERS));
  let acknowledged = 0;
  const acked = (count: number) => {
    acknowledged += count;
    killer.passed(acknowledged);
  };
  await Promise.all(shares.map((share) => produceShare(kafka, share ?? [], acked)));
  await killer.done();
  return acknowledged;
}

async function produceShare(
  kafka: Kafka,
  records: readonly KeyedRecord[],
  acked: (count: number) => void,
): Promise<void> {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let at = 0; at < records.length; at += RECORDS_A_SEND) {
    const some = records.slice(at, at + RECORDS_A_SEND);
    const messages = some.map(({ key, value, sequence }) => ({
      key,
      value,
      headers: { sequence: String(sequence) },
    }));
    await producer.send({ topic: TOPIC, acks: -1, messages });
    acked(some.length);
  }
  await producer.disconnect();
}

/** Three members read until `count` different records have come. @returns how many each was given. */
export async function consumeAll(
  kafka: Kafka,
  ledger: Ledger,
  { count, killer }: { count: number; killer: Killer },
): Promise<number[]> {
  const given = Array.from({ length: MEMBERS }, () => 0);
  const members = Array.from({ length: MEMBERS }, () =>
    kafka.consumer({
      groupId: GROUP,
      maxBytesPerPartition: FETCH_MAX_BYTES,
      maxWaitTimeInMs: 100,
      heartbeatInterval: 500,
      sessionTimeout: 10_000,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1_000, restartOnFailure: async () => true },
    }),
  );
  const { promise, resolve } = Promise.withResolvers<void>();
  const read = async (member: Consumer, index: number) => {
    await member.connect();
    await member.subscribe({ topic: TOPIC, fromBeginning: true });
    await member.run({
      autoCommitThreshold: COMMIT_EVERY_RECORDS,
      eachMessage: async ({ partition, message }) => {
        given[index] = (given[index] ?? 0) + 1;
        ledger.deliver(delivered(partition, message));
        killer.passed(ledger.logged);
        if (ledger.logged === count) resolve();
      },
    });
  };
  await Promise.all(members.map(read));
  await promise;
  await killer.done();
  await Promise.all(members.map((member) => member.disconnect()));
  return given;
}

function delivered(partition: number, message: KafkaMessage): Delivered {
  return {
    partition,
    offset: Number(message.offset),
    key: String(message.key),
    sequence: Number(message.headers?.['sequence']),
    value: String(message.value),
  };
}

/** What the broker says of the log once all is done: where partitions end, and what the group has still to read. */
export async function logAndGroup(kafka: Kafka): Promise<{ logEnds: number[]; lag: number }> {
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(TOPIC);
  const [committed] = await admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] });
  await admin.disconnect();
  const logEnds: number[] = [];
  for (const { partition, high } of ends) logEnds[partition] = Number(high);
  const committedTotal = committed?.partitions.reduce((sum, { offset }) => sum + Number(offset), 0) ?? 0;
  return { logEnds, lag: logEnds.reduce((sum, end) => sum + end, 0) - committedTotal };
}
