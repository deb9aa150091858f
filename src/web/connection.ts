import type { Millis } from '../model/ids.ts';
import type { Transport } from '../ports/transport.ts';
import { Brokers } from './brokers.ts';
import { closed, invalid } from './errors.ts';
import type { OutgoingRecord, RecordMetadata } from './outgoing.ts';
import type { Token } from './login.ts';
import { Publisher } from './publisher.ts';
import { Reader } from './reader.ts';
import {
  type ReaderHandlers,
  startSubscription,
  type SubscribeOptions,
  type Subscription,
} from './subscription.ts';
import type { Surroundings } from './surroundings.ts';
import type { Target } from './target.ts';
import type { TopicRecord } from './topic-record.ts';

export interface ConnectOptions {
  /** What brokers call this client in their logs; `milena-web` unless given. */
  clientId?: string;
  /** The way to brokers, instead of WebSockets: to one in another thread, say. */
  transport?: Transport;
  /** Who this page is: a token, or what gives one. */
  token?: Token | undefined;
  /** What may wait to be acknowledged, as long as nobody can be reached too: 8 MiB unless given. */
  maxBufferedBytes?: number;
  /** When a record that is not acknowledged counts as lost: never, unless given. */
  deliveryTimeoutMs?: Millis;
}

export interface PublishOptions {
  /** Nobody waits any longer. What was sent may be stored all the same. */
  signal?: AbortSignal;
}

const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * A broker, for any number of topics. All that is published goes over one WebSocket, and each subscription has one: in
 * Kafka answers come in order, so a question that waits for news would hold up the acknowledgements behind it.
 */
export class Connection implements AsyncDisposable {
  readonly #surroundings: Surroundings;
  readonly #newBrokers: () => Brokers;
  readonly #publisher: Publisher;
  readonly #readers = new Map<Reader, string>();
  #closing: Promise<void> | undefined;

  /** @internal `connect` makes it. */
  constructor(surroundings: Surroundings, { url, address }: Target, options: ConnectOptions = {}) {
    const { clientId = 'milena-web', transport = surroundings.transport(url), token } = options;
    const { maxBufferedBytes = MAX_BUFFERED_BYTES, deliveryTimeoutMs = Infinity } = options;
    this.#surroundings = surroundings;
    this.#newBrokers = () => new Brokers({ transport, clock: surroundings.clock, clientId, token }, address);
    this.#publisher = new Publisher(this.#newBrokers(), surroundings, {
      maxBufferedBytes,
      deliveryTimeoutMs,
      onTopic: (topic) => this.#wake(topic),
    });
  }

  /** Of records that are published and not acknowledged. */
  get pendingBytes(): number {
    return this.#publisher.pendingBytes;
  }

  /** Hands each record over, once, in the order of its partition; it goes on after whatever happens. */
  subscribe(
    topic: string,
    onRecord: (record: TopicRecord) => unknown,
    options?: SubscribeOptions,
  ): Subscription;
  /** The same, to be iterated: `for await (const record of connection.subscribe(topic))`. */
  subscribe(topic: string, options?: SubscribeOptions): Subscription;
  subscribe(
    topic: string,
    given?: ((record: TopicRecord) => unknown) | SubscribeOptions,
    options?: SubscribeOptions,
  ): Subscription {
    if (this.#closing !== undefined) throw closed();
    const onRecord = typeof given === 'function' ? given : undefined;
    const how = typeof given === 'function' ? options : given;
    return startSubscription((handlers) => this.#startReader(topic, handlers), onRecord, how ?? {});
  }

  /**
   * Resolves when it is acknowledged. While nobody can be reached it waits, in memory; it is stored once, however
   * often it has to be sent.
   * @throws MilenaError BUFFER_FULL, DELIVERY_TIMEOUT, CLOSED, or the broker's refusal.
   */
  publish(topic: string, record: OutgoingRecord, options?: PublishOptions): Promise<RecordMetadata>;
  publish(
    topic: string,
    records: readonly OutgoingRecord[],
    options?: PublishOptions,
  ): Promise<RecordMetadata[]>;
  async publish(
    topic: string,
    given: OutgoingRecord | readonly OutgoingRecord[],
    { signal }: PublishOptions = {},
  ): Promise<RecordMetadata | RecordMetadata[]> {
    const isList = Array.isArray(given);
    const records = (isList ? given : [given]) as readonly OutgoingRecord[];
    const published = await this.#publisher.publish(topic, records, signal);
    const [first] = published;
    if (isList) return published;
    if (first === undefined) throw invalid('a record is needed');
    return first;
  }

  /** Waits for what was published, at most `timeoutMs` (5,000); subscriptions stop. Always settles; idempotent. */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { timeoutMs?: Millis } = {}): Promise<void> {
    this.#closing ??= this.#publisher.close(timeoutMs);
    for (const reader of this.#readers.keys()) reader.stop();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #startReader(topic: string, handlers: ReaderHandlers): Reader {
    const { report } = this.#surroundings;
    const reader = new Reader(this.#newBrokers(), this.#surroundings, {
      ...handlers,
      topic,
      onStatus: (status) => {
        if (status.state === 'stopped' || status.state === 'failed') this.#readers.delete(reader);
        try {
          handlers.onStatus(status);
        } catch (error) {
          report(error);
        }
      },
    });
    this.#readers.set(reader, topic);
    return reader;
  }

  /** Who waits for a topic to be there need not wait longer. */
  #wake(topic: string): void {
    for (const [reader, read] of this.#readers) if (read === topic) reader.wake();
  }
}
