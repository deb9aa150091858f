import { MilenaError } from '../client/milena-error.ts';
import type { Millis } from '../model/ids.ts';
import {
  initProducerIdApi,
  produceApi,
  type Produced,
  type ProducerIdentity,
  type TopicFacts,
} from './apis.ts';
import { type Place, titleOf } from './batch.ts';
import type { Brokers } from './brokers.ts';
import { mayRetry, refusal } from './errors.ts';
import { Patience, type Surroundings } from './surroundings.ts';

export interface CourierOptions {
  /** From the call on; then nobody waits any longer. Infinity is no bound. */
  deliveryTimeoutMs: Millis;
  /** A topic is there that may not have been. */
  onTopic: (topic: string) => void;
}

/** How long a broker may take to write. */
const PRODUCE_TIMEOUT_MS = 10_000;
/** What brokers refuse, but may yet take, is tried again for so long. */
const REFUSED_FOR_MS = 30_000;
/** Of a producer; then it needs another id. */
const EPOCH_MAX = 0x7fff;
/** Partitions are added without a word. */
const TOPIC_MAX_AGE_MS = 5 * 60_000;

/** Takes batches to whoever leads their partition, and tries again where that may help. */
export class Courier {
  readonly #brokers: Brokers;
  readonly #surroundings: Surroundings;
  readonly #options: CourierOptions;
  readonly #life: AbortSignal;
  readonly #topics = new Map<string, { facts: Promise<TopicFacts>; askedAtMs: Millis }>();
  #identity: Promise<ProducerIdentity> | undefined;

  constructor(brokers: Brokers, surroundings: Surroundings, options: CourierOptions & { life: AbortSignal }) {
    this.#brokers = brokers;
    this.#surroundings = surroundings;
    this.#options = options;
    this.#life = options.life;
  }

  /**
   * Tries until it works, or cannot. While nobody can be reached there is no hurry; what is refused for long, is.
   * @param bornAtMs of what is to be done.
   * @throws MilenaError the last one; DELIVERY_TIMEOUT; what ends its life.
   */
  async persist<T>(bornAtMs: Millis, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock } = this.#surroundings;
    const { deliveryTimeoutMs } = this.#options;
    const patience = new Patience(this.#surroundings);
    const late = deliveryTimeoutMs < Infinity ? new AbortController() : undefined;
    const cancel = late && clock.at(bornAtMs + deliveryTimeoutMs, () => late.abort());
    const signal = late ? AbortSignal.any([late.signal, this.#life]) : this.#life;
    let reachedAtMs = bornAtMs;
    try {
      for (;;) {
        try {
          return await attempt(signal);
        } catch (error) {
          this.#life.throwIfAborted();
          if (late?.signal.aborted) {
            // What is silent for so long may be dead, and what else is on its way is sent again.
            this.#brokers.close();
            throw undelivered(deliveryTimeoutMs, error);
          }
          if (!mayRetry(error)) throw error;
          if ((error as MilenaError).code === 'CONNECTION_LOST') reachedAtMs = clock.now();
          else if (clock.now() - reachedAtMs > REFUSED_FOR_MS) throw error;
          await patience.wait(signal);
        }
      }
    } finally {
      cancel?.();
    }
  }

  /** What is known of a topic, which is made where brokers allow that. @throws MilenaError */
  topic(name: string): Promise<TopicFacts> {
    const nowMs = this.#surroundings.clock.now();
    const known = this.#topics.get(name);
    if (known !== undefined && nowMs - known.askedAtMs < TOPIC_MAX_AGE_MS) return known.facts;
    const facts = this.#brokers.topic(name, { mayCreate: true, signal: this.#life });
    this.#topics.set(name, { facts, askedAtMs: nowMs });
    facts.then(
      () => this.#options.onTopic(name),
      () => this.#topics.delete(name),
    );
    return facts;
  }

  /** Of all that is sent from now on. @throws MilenaError */
  identity(): Promise<ProducerIdentity> {
    return this.#identity ?? this.#identifyBy(this.#newIdentity());
  }

  /** What was numbered may be stored, or come late: the next epoch fences it (KIP-360). */
  renewIdentity(): void {
    const next = this.#identity?.then(({ producerId, producerEpoch }) =>
      producerEpoch < EPOCH_MAX ? { producerId, producerEpoch: producerEpoch + 1 } : this.#newIdentity(),
    );
    if (next !== undefined) void this.#identifyBy(next);
  }

  /** @throws MilenaError the broker's refusal. */
  async send(place: Place, batch: Uint8Array, signal: AbortSignal): Promise<Produced> {
    try {
      const { partitions } = await this.topic(place.topic);
      const leaderId = partitions.find(({ partition }) => partition === place.partition)?.leaderId ?? -1;
      const leader = await this.#brokers.leader(leaderId, signal);
      const question = { ...place, batch, timeoutMs: PRODUCE_TIMEOUT_MS };
      const produced = await leader.ask(produceApi, question, signal);
      const { errorCode = -1, message } = produced ?? {};
      if (produced === undefined || errorCode !== 0) throw refusal(errorCode, titleOf(place), message);
      return produced;
    } catch (error) {
      // Who leads may be another by now.
      this.#topics.delete(place.topic);
      throw error;
    }
  }

  #identifyBy(identity: Promise<ProducerIdentity>): Promise<ProducerIdentity> {
    this.#identity = identity;
    identity.catch(() => {
      if (this.#identity === identity) this.#identity = undefined;
    });
    return identity;
  }

  async #newIdentity(): Promise<ProducerIdentity> {
    const link = await this.#brokers.any(this.#life);
    const { errorCode, producerId, producerEpoch } = await link.ask(initProducerIdApi, undefined, this.#life);
    if (errorCode !== 0) throw refusal(errorCode, 'InitProducerId');
    return { producerId, producerEpoch };
  }
}

function undelivered(deliveryTimeoutMs: Millis, cause: unknown): MilenaError {
  const message = `not acknowledged within ${deliveryTimeoutMs} ms: stored or not, nobody knows`;
  return new MilenaError(message, { code: 'DELIVERY_TIMEOUT', retriable: true, cause });
}
