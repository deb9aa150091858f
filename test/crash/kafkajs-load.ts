import { CompressionTypes, Kafka, type Producer, logLevel } from 'kafkajs';
import type { LogLedger } from './log-ledger.ts';
import { valueOf } from './log-ledger.ts';
import type { SeededRandom } from '../support/random.ts';
import type { RoundProgress } from './round.ts';
import { type Target, logOf } from './writer.ts';

/** kafkajs as it comes; its own retries carry it over every death. */
export function kafkajs(port: number): Kafka {
  return new Kafka({
    clientId: 'crash',
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 30, maxRetryTime: 300, retries: 10_000 },
  });
}

const WRITER = 'kafkajs';
const MESSAGES_MAX = 10;

interface ProducerParts {
  ledger: LogLedger;
  targets: readonly Target[];
  random: SeededRandom;
  onFault: (fault: string) => void;
}

/** An idempotent kafkajs producer that never stops: one send after the other, each to all partitions of a topic. */
export class KafkajsProducer {
  readonly #producer: Producer;
  readonly #parts: ProducerParts;
  readonly #nextNumber = new Map<string, number>();
  #progress: RoundProgress | undefined;
  #wake = Promise.withResolvers<void>();
  #stopping = false;
  #running: Promise<void> | undefined;

  constructor(kafka: Kafka, parts: ProducerParts) {
    this.#producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    this.#parts = parts;
    parts.ledger.addWriter(WRITER, { exact: true });
  }

  resume(progress: RoundProgress): void {
    this.#progress = progress;
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake.resolve();
    await this.#running;
    await this.#producer.disconnect();
  }

  async #run(): Promise<void> {
    try {
      await this.#producer.connect();
      while (!this.#stopping) {
        if (this.#progress?.takeBatch()) await this.#send();
        else await this.#wake.promise;
      }
    } catch (error) {
      this.#parts.onFault(`kafkajs gave up producing: ${String(error)}`);
    }
  }

  async #send(): Promise<void> {
    const { targets, random, ledger } = this.#parts;
    const sent = new Map<string, { number: number; count: number }>();
    const { topic } = random.pick(targets);
    const messages = targets
      .filter((target) => target.topic === topic)
      .flatMap((target) => {
        const log = logOf(target);
        const number = this.#nextNumber.get(log) ?? 0;
        const count = random.integer(1, MESSAGES_MAX);
        this.#nextNumber.set(log, number + count);
        sent.set(log, { number, count });
        ledger.sent(log, { writer: WRITER, number }, count);
        return Array.from({ length: count }, (_, index) => ({
          partition: target.partition,
          value: valueOf({ writer: WRITER, number: number + index }),
        }));
      });
    const compression = random.chance(0.3) ? CompressionTypes.GZIP : CompressionTypes.None;
    const answers = await this.#producer.send({ topic, messages, acks: -1, compression });
    for (const { topicName, partition, baseOffset } of answers) {
      const log = logOf({ topic: topicName, partition });
      const batch = sent.get(log);
      if (batch === undefined) continue;
      const { number, count } = batch;
      ledger.acked(log, { writer: WRITER, number }, { count, baseOffset: Number(baseOffset) });
    }
    this.#progress?.acked();
  }
}
