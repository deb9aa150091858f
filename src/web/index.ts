/** The entry `milena/web`: pub/sub over Kafka's protocol from a web page, small enough for any. */
import { Connection, type ConnectOptions, type PublishOptions } from './connection.ts';
import { invalid } from './errors.ts';
import type { Token } from './login.ts';
import type { OutgoingRecord, RecordMetadata } from './outgoing.ts';
import { platform } from './platform.ts';
import type { SubscribeOptions, Subscription } from './subscription.ts';
import { parseTarget, type Target } from './target.ts';
import type { TopicRecord } from './topic-record.ts';

export { type ErrorFacts, MilenaError } from '../client/milena-error.ts';
export type { BrokerAddress, ByteStream, StreamEvents, Transport } from '../ports/transport.ts';
export type { Connection, ConnectOptions, PublishOptions } from './connection.ts';
export type { Token } from './login.ts';
export type { From, Time } from './from.ts';
export type { Json, OutgoingRecord, RecordMetadata } from './outgoing.ts';
export type { Status } from './reader.ts';
export type { SubscribeOptions, Subscription } from './subscription.ts';
export type { RecordHeader, TopicRecord } from './topic-record.ts';

/** Which topic, where the URL does not say it. */
export interface OfTopic {
  topic?: string;
  /** Who this page is at that URL: what is said first counts. */
  token?: Token;
}

/**
 * A broker for any number of topics: `connect('ws://127.0.0.1:9094/kafka')`. Nothing is opened before it is needed.
 * @throws MilenaError INVALID_ARGUMENT
 */
export function connect(url: string, options?: ConnectOptions): Connection {
  return new Connection(platform, targetOf(url), options);
}

/** By URL: what pages publish to one broker goes over one WebSocket. */
const connections = new Map<string, Connection>();

/**
 * Hands each record of a topic over, once, in the order of its partition: what there was from `from` on, then what
 * comes; it goes on where it was after whatever happens. `subscribe('/t/orders?from=-50', render)`.
 * @param url `wss://host/t/<topic>`, or the broker's door, `wss://host/kafka`, and the topic in the options.
 * @returns stops it.
 * @throws MilenaError INVALID_ARGUMENT
 */
export function subscribe(
  url: string,
  onRecord: (record: TopicRecord) => unknown,
  options?: SubscribeOptions & OfTopic,
): Subscription;
/** The same, to be iterated: `for await (const record of subscribe(url))`. */
export function subscribe(url: string, options?: SubscribeOptions & OfTopic): Subscription;
export function subscribe(
  url: string,
  given?: ((record: TopicRecord) => unknown) | (SubscribeOptions & OfTopic),
  options?: SubscribeOptions & OfTopic,
): Subscription {
  const target = targetOf(url);
  const how = (typeof given === 'function' ? options : given) ?? {};
  const { topic = topicIn(target), from = target.from, token, ...rest } = how;
  const all = from === undefined ? rest : { ...rest, from };
  const connection = connectionTo(target, token);
  return typeof given === 'function'
    ? connection.subscribe(topic, given, all)
    : connection.subscribe(topic, all);
}

/**
 * Writes to a topic; resolves when it is acknowledged. `publish('/t/orders', { key: 'c17', value: { eur: 5 } })`.
 * @param url as for `subscribe`.
 * @throws MilenaError
 */
export function publish(
  url: string,
  record: OutgoingRecord,
  options?: PublishOptions & OfTopic,
): Promise<RecordMetadata>;
export function publish(
  url: string,
  records: readonly OutgoingRecord[],
  options?: PublishOptions & OfTopic,
): Promise<RecordMetadata[]>;
export async function publish(
  url: string,
  given: OutgoingRecord | readonly OutgoingRecord[],
  options: PublishOptions & OfTopic = {},
): Promise<RecordMetadata | RecordMetadata[]> {
  const target = targetOf(url);
  const topic = options.topic ?? topicIn(target);
  return connectionTo(target, options.token).publish(topic, given as readonly OutgoingRecord[], options);
}

function targetOf(url: string): Target {
  return parseTarget(url, globalThis.location?.href);
}

function connectionTo(target: Target, token: Token | undefined): Connection {
  const known = connections.get(target.url) ?? new Connection(platform, target, { token });
  connections.set(target.url, known);
  return known;
}

function topicIn({ url, topic }: Target): string {
  if (topic !== undefined) return topic;
  throw invalid(`${url}: of which topic?`, 'write ws://host/t/<topic>, or name it in the options');
}
