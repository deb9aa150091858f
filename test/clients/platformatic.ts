import {
  Admin,
  type BaseOptions,
  Consumer,
  type Message,
  type ConsumerOptions,
  Producer,
  type ProducerOptions,
} from '@platformatic/kafka';
import { onTestFinished } from 'vitest';
import { type Place, type PlainRecord, text } from './fixture.ts';
import { type GroupMember, TestGroup } from './group.ts';

function base(broker: Place): BaseOptions {
  return {
    clientId: 'platformatic',
    bootstrapBrokers: [`${broker.kafka.host}:${broker.kafka.port}`],
    retries: 5,
    retryDelay: 20,
  };
}

/** An unmodified client of @platformatic/kafka; it is closed when the test that made it has ended. */
export function newAdmin(broker: Place): Admin {
  const admin = new Admin(base(broker));
  onTestFinished(() => admin.close());
  return admin;
}

export function newProducer(
  broker: Place,
  options: Partial<ProducerOptions<Buffer, Buffer, Buffer, Buffer>> = {},
): Producer {
  const producer = new Producer({ ...base(broker), ...options } as ProducerOptions<
    Buffer,
    Buffer,
    Buffer,
    Buffer
  >);
  onTestFinished(() => producer.close());
  return producer;
}

export type ConsumerChoices = Partial<ConsumerOptions<Buffer, Buffer, Buffer, Buffer>>;

export function newConsumer(broker: Place, groupId: string, options: ConsumerChoices = {}): Consumer {
  const consumer = new Consumer({
    ...base(broker),
    groupId,
    maxWaitTime: 100,
    sessionTimeout: 10_000,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 100,
    ...options,
  } as ConsumerOptions<Buffer, Buffer, Buffer, Buffer>);
  onTestFinished(() => consumer.close(true));
  return consumer;
}

/** A topic of its own, as this client creates it. */
export async function createTopic(broker: Place, { partitions = 1 } = {}): Promise<string> {
  const topic = broker.name('topic');
  await newAdmin(broker).createTopics({ topics: [topic], partitions, replicas: 1 });
  return topic;
}

export function plain(message: Message): PlainRecord {
  const headers = [...message.headers].map(([key, value]) => [String(key), String(value)]);
  return {
    partition: message.partition,
    offset: Number(message.offset),
    key: text(message.key),
    value: text(message.value),
    headers: Object.fromEntries(headers) as Record<string, string>,
  };
}

export class Member implements GroupMember {
  readonly consumer: Consumer;
  readonly records: PlainRecord[] = [];

  constructor(consumer: Consumer) {
    this.consumer = consumer;
  }

  get partitions(): string[] {
    const topics = this.consumer.assignments ?? [];
    return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}/${partition}`));
  }
}

/** A group of @platformatic/kafka consumers. */
export class Group extends TestGroup<Member> {
  readonly #topic: string;

  constructor(broker: Place, topic: string, groupId?: string) {
    super(broker, groupId);
    this.#topic = topic;
  }

  async join(options: ConsumerChoices = {}): Promise<Member> {
    const member = new Member(newConsumer(this.broker, this.groupId, options));
    this.members.push(member);
    member.consumer.on('consumer:group:join', () => this.changes.changed());
    member.consumer.on('consumer:heartbeat:end', () => this.changes.changed());
    const stream = await member.consumer.consume({
      topics: [this.#topic],
      mode: 'committed',
      fallbackMode: 'earliest',
    });
    stream.on('data', (message) => {
      member.records.push(plain(message));
      this.changes.changed();
    });
    return member;
  }

  async leave(member: Member): Promise<void> {
    this.forget(member);
    await member.consumer.close(true);
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

interface WrappedError {
  apiId?: string;
  errors?: WrappedError[];
  cause?: WrappedError;
  message: string;
}

/** Kafka's names of the errors a call ends with, whatever was wrapped around them; none when it does not fail. */
export async function errorsOf(call: Promise<unknown>): Promise<string[]> {
  try {
    await call;
    return [];
  } catch (error) {
    // Once for each time it was tried.
    return [...new Set(namesOf(error as WrappedError))];
  }
}

function namesOf(error: WrappedError): string[] {
  if (error.apiId !== undefined) return [error.apiId];
  const inner = [...(error.errors ?? []), ...(error.cause === undefined ? [] : [error.cause])];
  return inner.length > 0 ? inner.flatMap(namesOf) : [error.message];
}
