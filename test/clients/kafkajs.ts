import {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  Kafka,
  KafkaJSAggregateError,
  KafkaJSDeleteGroupsError,
  type KafkaMessage,
  Partitioners,
  type Producer,
  type ProducerConfig,
  type RetryOptions,
  logLevel,
} from 'kafkajs';
import { onTestFinished } from 'vitest';
import { type Changes, type Place, type PlainRecord, text } from './fixture.ts';
import { type GroupMember, TestGroup } from './group.ts';
import { Line } from './line.ts';

const RETRY: RetryOptions = { initialRetryTime: 20, retries: 5 };
/** For as long as it takes: the test's own timeout is the only one. */
const PATIENT: RetryOptions = { initialRetryTime: 20, maxRetryTime: 200, retries: Infinity };

interface Patience {
  /**
   * Outlasts a restart of the broker, however long that takes. A client's own `retry` does not: what it is wrapped
   * around, connecting and asking for metadata, goes by the `retry` of all.
   */
  patient?: boolean;
}

/** Unmodified kafkajs; its clients are closed when the test that made them has ended. */
export function kafkajs(broker: Place, line = new Line(broker), { patient = false }: Patience = {}) {
  return new Kafka({
    clientId: 'kafkajs',
    brokers: [broker.address],
    socketFactory: line.socketFactory,
    logLevel: logLevel.NOTHING,
    retry: patient ? PATIENT : RETRY,
  });
}

export async function connectAdmin(broker: Place, line?: Line): Promise<Admin> {
  const admin = kafkajs(broker, line).admin();
  onTestFinished(() => admin.disconnect());
  await admin.connect();
  return admin;
}

export async function connectProducer(
  broker: Place,
  { patient = false, ...config }: ProducerConfig & Patience = {},
  line?: Line,
): Promise<Producer> {
  const producer = kafkajs(broker, line, { patient }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    ...config,
  });
  onTestFinished(() => producer.disconnect());
  await producer.connect();
  return producer;
}

export async function connectConsumer(
  broker: Place,
  { patient = false, ...config }: ConsumerConfig & Patience,
  line?: Line,
): Promise<Consumer> {
  const retry = patient ? PATIENT : RETRY;
  const consumer = kafkajs(broker, line, { patient }).consumer({ maxWaitTimeInMs: 100, retry, ...config });
  onTestFinished(() => consumer.disconnect());
  await consumer.connect();
  return consumer;
}

/** Kafka's names of the errors a call ends with, whatever kafkajs wrapped around them; none when it does not fail. */
export async function errorsOf(call: Promise<unknown>): Promise<string[]> {
  try {
    await call;
    return [];
  } catch (error) {
    if (error instanceof KafkaJSAggregateError) return error.errors.map(nameOf);
    if (error instanceof KafkaJSDeleteGroupsError) return error.groups.map((group) => nameOf(group.error));
    return [nameOf(error)];
  }
}

function nameOf(error: unknown): string {
  const { type, cause, message } = error as { type?: string; cause?: unknown; message?: string };
  return type ?? (cause instanceof Error ? nameOf(cause) : String(message));
}

/** A topic of its own, as kafkajs creates it. */
export async function createTopic(
  admin: Admin,
  broker: Place,
  { partitions = 1, configs = {} }: { partitions?: number; configs?: Record<string, string> } = {},
): Promise<string> {
  const topic = broker.name('topic');
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] });
  return topic;
}

export function plain(partition: number, message: KafkaMessage): PlainRecord {
  const headers = Object.entries(message.headers ?? {}).map(([key, value]) => [key, String(value)]);
  return {
    partition,
    offset: Number(message.offset),
    key: text(message.key),
    value: text(message.value),
    headers: Object.fromEntries(headers) as Record<string, string>,
  };
}

export class Member implements GroupMember {
  readonly consumer: Consumer;
  readonly records: PlainRecord[] = [];
  /** Partitions by topic; undefined before it first joined. */
  assignment: Readonly<Record<string, number[]>> | undefined;

  constructor(consumer: Consumer, changes: Changes) {
    this.consumer = consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.assignment = payload.memberAssignment;
      changes.changed();
    });
  }

  get partitions(): string[] {
    const topics = Object.entries(this.assignment ?? {});
    return topics.flatMap(([topic, partitions]) => partitions.map((partition) => `${topic}/${partition}`));
  }
}

export interface JoinOptions extends Omit<ConsumerConfig, 'groupId'>, Patience {
  fromBeginning?: boolean;
  line?: Line;
}

/** A group of kafkajs consumers. */
export class Group extends TestGroup<Member> {
  readonly #topic: string | RegExp;

  constructor(broker: Place, topic: string | RegExp, groupId?: string) {
    super(broker, groupId);
    this.#topic = topic;
  }

  async join({ fromBeginning = true, line, ...config }: JoinOptions = {}): Promise<Member> {
    const consumer = await connectConsumer(
      this.broker,
      { groupId: this.groupId, heartbeatInterval: 100, sessionTimeout: 10_000, ...config },
      line,
    );
    const member = new Member(consumer, this.changes);
    this.members.push(member);
    await consumer.subscribe({ topic: this.#topic, fromBeginning });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        member.records.push(plain(partition, message));
        this.changes.changed();
      },
    });
    return member;
  }

  async leave(member: Member): Promise<void> {
    this.forget(member);
    await member.consumer.disconnect();
  }
}

/** The first `count` records of a topic, read by a group of its own. */
export async function readTopic(broker: Place, topic: string, count: number): Promise<PlainRecord[]> {
  const group = new Group(broker, topic);
  const member = await group.join();
  const records = await group.seen(count);
  await group.leave(member);
  return records;
}

export function transactional(broker: Place, transactionalId: string): Promise<Producer> {
  return connectProducer(broker, { transactionalId, idempotent: true, maxInFlightRequests: 1 });
}
