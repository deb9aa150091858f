import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { BINDING, run } from '../../bench/librdkafka/build.ts';

/** What we use of its API: it is not installed with the others, so its types are not here. */
export interface Binding {
  Kafka: new (settings: Settings) => Kafka;
  ErrorCodes: Readonly<Record<string, number>>;
}

/** Of librdkafka by its own names; of kafkajs under `kafkaJS`. */
export type Settings = Readonly<Record<string, unknown>> & { kafkaJS?: Readonly<Record<string, unknown>> };

interface Kafka {
  producer(settings?: Settings): Producer;
  consumer(settings: Settings): Consumer;
  admin(): Admin;
}

export interface Client {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

export interface Message {
  key?: string | null;
  value: string | null;
  partition?: number;
  headers?: Record<string, string>;
  timestamp?: string;
}

export interface Producer extends Client {
  send(record: { topic: string; messages: Message[] }): Promise<{ partition: number; baseOffset?: string }[]>;
  sendBatch(batch: { topicMessages: { topic: string; messages: Message[] }[] }): Promise<unknown>;
  transaction(): Promise<Producer>;
  commit(): Promise<void>;
  abort(): Promise<void>;
  sendOffsets(args: { consumer: Consumer; topics: TopicOffsets[] }): Promise<void>;
}

export interface TopicOffsets {
  topic: string;
  partitions: { partition: number; offset: string }[];
}

export interface Seen {
  topic: string;
  partition: number;
  message: {
    key: Buffer | null;
    value: Buffer | null;
    offset: string;
    timestamp: string;
    headers?: Record<string, Buffer>;
  };
}

export interface Place {
  topic: string;
  partition: number;
  offset: string;
  metadata?: string;
}

export interface Consumer extends Client {
  subscribe(what: { topics: (string | RegExp)[] }): Promise<void>;
  run(how: { eachMessage: (seen: Seen) => Promise<void> }): Promise<void>;
  commitOffsets(places: Place[]): Promise<void>;
  committed(partitions: { topic: string; partition: number }[], timeoutMs: number): Promise<Place[]>;
  seek(place: Place): void;
  pause(topics: { topic: string; partitions: number[] }[]): void;
  resume(topics: { topic: string; partitions: number[] }[]): void;
  assignment(): { topic: string; partition: number }[];
}

export interface Admin extends Client {
  createTopics(what: { topics: NewTopic[] }): Promise<boolean>;
  deleteTopics(what: { topics: string[] }): Promise<void>;
  listTopics(): Promise<string[]>;
  fetchTopicMetadata(what: { topics: string[] }): Promise<{ name: string; partitions: unknown[] }[]>;
  fetchTopicOffsets(topic: string): Promise<{ partition: number; high: string; low: string }[]>;
  fetchTopicOffsetsByTimestamp(
    topic: string,
    timestamp: number,
  ): Promise<{ partition: number; offset: string }[]>;
  deleteTopicRecords(what: TopicOffsets): Promise<unknown>;
  listGroups(): Promise<{ groups: { groupId: string }[] }>;
  describeGroups(
    groups: string[],
  ): Promise<{ groups: { state: number; type: number; members: unknown[] }[] }>;
  deleteGroups(groups: string[]): Promise<unknown>;
  fetchOffsets(what: { groupId: string; topics: string[] }): Promise<TopicOffsets[]>;
}

interface NewTopic {
  topic: string;
  numPartitions?: number;
  replicationFactor?: number;
  configEntries?: { name: string; value: string }[];
}

/** Why it is not there; undefined when it is. The first call builds it, once a checkout. */
export async function missingBinding(): Promise<string | undefined> {
  if (existsSync(BINDING)) return undefined;
  try {
    console.log('        building librdkafka and its binding');
    await run();
    return undefined;
  } catch (error) {
    return `librdkafka's binding could not be built: ${(error as Error).message.trim().split('\n').at(-1)}`;
  }
}

export function binding(): Binding {
  return (createRequire(import.meta.url)(BINDING) as { KafkaJS: Binding }).KafkaJS;
}
