import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { EventEmitter } from 'node:events';
import { BINDING } from './build.ts';

/** What we use of the binding: it is not installed with the others, so its types are not here. */
interface Binding {
  Producer: new (settings: object) => NativeProducer;
  KafkaConsumer: new (settings: object, topicSettings: object) => NativeConsumer;
  CODES: { ERRORS: { ERR__QUEUE_FULL: number } };
}

interface NativeClient extends EventEmitter {
  connect(): void;
  disconnect(): void;
}

interface NativeProducer extends NativeClient {
  setPollInterval(ms: number): void;
  produce(topic: string, partition: number | null, value: Buffer): void;
  flush(timeoutMs: number, done: (error: Error | null) => void): void;
}

interface NativeConsumer extends NativeClient {
  assign(partitions: { topic: string; partition: number; offset: number }[]): void;
  consume(count: number, done: (error: Error | null, messages: { value: Buffer | null }[]) => void): void;
  setDefaultConsumeTimeout(ms: number): void;
}

/** Undefined, said on stderr, when it has not been built. */
export function binding(): Binding | undefined {
  if (existsSync(BINDING)) return createRequire(import.meta.url)(BINDING) as Binding;
  console.error('SKIPPED librdkafka: `npm run bench -- librdkafka` builds it');
  return undefined;
}

export interface RdProducer {
  /** Resolves when all are acknowledged. */
  send(topic: string, values: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Idempotent, with the library's own linger and batches. */
export async function rdProducer({ Producer, CODES }: Binding, brokers: string): Promise<RdProducer> {
  const producer = new Producer({
    'metadata.broker.list': brokers,
    'enable.idempotence': true,
    dr_cb: true,
  });
  await ready(producer);
  producer.setPollInterval(5);
  let waiting = 0;
  let failure: Error | undefined;
  let told = Promise.withResolvers<void>();
  producer.on('delivery-report', (error: Error | null) => {
    failure ??= error ?? undefined;
    if (--waiting === 0) told.resolve();
  });
  const isFull = (error: unknown) => (error as { code?: number }).code === CODES.ERRORS.ERR__QUEUE_FULL;
  return {
    async send(topic, values) {
      told = Promise.withResolvers();
      waiting = values.length;
      for (const value of values) {
        for (;;) {
          try {
            producer.produce(topic, null, Buffer.from(value));
            break;
          } catch (error) {
            if (!isFull(error)) throw error;
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      }
      producer.flush(60_000, (error) => error && told.reject(error));
      await told.promise;
      if (failure !== undefined) throw failure;
    },
    close: () => gone(producer),
  };
}

export interface RdConsumer {
  /** Reads partition 0 from its beginning, until `take` says that a value was the last. */
  read(topic: string, take: (value: Buffer | null) => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function rdConsumer({ KafkaConsumer }: Binding, brokers: string): Promise<RdConsumer> {
  const settings = { 'metadata.broker.list': brokers, 'group.id': 'bench', 'enable.auto.commit': false };
  const consumer = new KafkaConsumer(settings, { 'auto.offset.reset': 'earliest' });
  await ready(consumer);
  consumer.setDefaultConsumeTimeout(50);
  const some = () =>
    new Promise<{ value: Buffer | null }[]>((resolve, reject) =>
      consumer.consume(1000, (error, messages) => (error ? reject(error) : resolve(messages))),
    );
  return {
    async read(topic, take) {
      consumer.assign([{ topic, partition: 0, offset: 0 }]);
      for (let isOver = false; !isOver;) {
        for (const { value } of await some()) isOver = take(value) || isOver;
      }
      consumer.assign([]);
    },
    close: () => gone(consumer),
  };
}

async function ready(client: NativeClient): Promise<void> {
  const isReady = once(client, 'ready');
  client.connect();
  await isReady;
}

async function gone(client: NativeClient): Promise<void> {
  const isGone = once(client, 'disconnected');
  client.disconnect();
  await isGone;
}
