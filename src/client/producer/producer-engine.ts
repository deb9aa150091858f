import type { Millis } from '../../model/ids.ts';
import type { EngineParts } from '../client-parts.ts';
import type { Partitioner } from './partitioner.ts';
import { Sender, type SenderTransaction } from './sender.ts';
import { TopicWriter } from './topic-writer.ts';
import { watchedBatches } from './watched-batches.ts';

export interface ProducerSettings {
  /** -1 all in sync, 1 the leader, 0 nobody answers. */
  acks: -1 | 0 | 1;
  isIdempotent: boolean;
  /** The number of a codec, 0 for none. */
  codec: number;
  lingerMs: Millis;
  batchBytes: number;
  requestMaxBytes: number;
  deliveryTimeoutMs: Millis;
  requestTimeoutMs: Millis;
  partitioner: Partitioner;
  /** What one transaction is sent in. */
  transaction: SenderTransaction | undefined;
}

/** What a producer works with: batches of records, and who sends them. */
export class ProducerEngine {
  readonly #sender: Sender;
  readonly #writerOf: (topic: string) => TopicWriter;

  /** @param released bytes of records that are needed no more. */
  constructor(parts: EngineParts, settings: ProducerSettings, released: (sizeBytes: number) => void) {
    const { cluster, clock, random, kernels, codecs } = parts;
    const { codec, partitioner, batchBytes, deliveryTimeoutMs } = settings;
    const home = { cluster, clock, random };
    const sender = new Sender({ ...home, ...settings });
    const packing = { kernels, codecs, codec };
    const toldOf = cluster.diagnostics && watchedBatches(cluster.diagnostics.produce, clock);
    const rest = { packing, partitioner, batchBytes, deliveryTimeoutMs, released, toldOf };
    this.#sender = sender;
    this.#writerOf = (topic) => new TopicWriter(topic, { ...home, sender, ...rest });
  }

  /** Puts records of one topic into batches. */
  writerOf(topic: string): TopicWriter {
    return this.#writerOf(topic);
  }

  /** All that stands in queues now goes without waiting for more; resolves when it is over, well or badly. */
  flush(): Promise<void> {
    return this.#sender.flush();
  }

  /** Nothing is sent any more; what is not over fails with that. */
  stop(error: Error): void {
    this.#sender.stop(error);
  }
}
