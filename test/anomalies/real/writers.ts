import { setTimeout } from 'node:timers/promises';
import type { Client } from '../../../src/client/client.ts';
import { BrokerError } from '../../../src/client/errors.ts';
import type { Outcome, Send } from '../../../src/hosts/sim/anomalies/history.ts';
import { type ActorParts, act, begin, keyOf, PARTITIONS, sendOf, TOPICS } from './actor.ts';

/** Thrown to have a transaction aborted. */
class Unwanted extends Error {}

const RECORDS_MAX = 4;
const SENDS_MAX = 3;

/** An idempotent producer without transactions. */
export function plainWriter(parts: ActorParts): Promise<void> {
  const { random, stopped, name } = parts;
  return act(parts, async (client) => {
    const producer = client.producer();
    for (let made = 0; !stopped.aborted;) {
      const partition = random.integer(0, PARTITIONS - 1);
      const key = keyOf(TOPICS.plain, partition);
      const values = Array.from({ length: random.integer(1, RECORDS_MAX) }, () => `${name}.${++made}`);
      const record = begin(parts);
      try {
        const told = await producer.send(
          TOPICS.plain,
          values.map((value) => ({ value, partition })),
        );
        const steps = values.map((value, index) => sendOf({ key, value }, told[index]?.offset));
        record({ outcome: 'ok', steps });
      } catch {
        record({ outcome: 'info', steps: values.map((value) => sendOf({ key, value })) });
      }
      await setTimeout(random.integer(0, 4));
    }
  });
}

/**
 * Writes transactions to several partitions, some of them to be aborted. Several may have one transactional id: who is
 * fenced begins anew after a while, and in between sends what it must not be able to.
 */
export function transactionalWriter(parts: ActorParts, transactionalId: string): Promise<void> {
  const { random, stopped } = parts;
  return act(parts, async (client) => {
    while (!stopped.aborted) {
      const transactions = new Transactions(parts, client, transactionalId);
      await transactions.untilFenced();
      await setTimeout(random.integer(50, 400));
    }
  });
}

class Transactions {
  readonly #parts: ActorParts;
  readonly #producer: ReturnType<typeof producerOf>;
  static #made = 0;

  constructor(parts: ActorParts, client: Client, transactionalId: string) {
    this.#parts = parts;
    this.#producer = producerOf(client, transactionalId);
  }

  async untilFenced(): Promise<void> {
    const { random, stopped } = this.#parts;
    while (!stopped.aborted) {
      if (!(await this.#one())) break;
      await setTimeout(random.integer(0, 10));
    }
    await this.#producer.close({ timeoutMs: 0 }).catch(() => {});
  }

  /** @returns whether it may go on. */
  async #one(): Promise<boolean> {
    const { random } = this.#parts;
    const record = begin(this.#parts);
    const sends: Send[] = [];
    let outcome: Outcome = 'fail';
    let goesOn = true;
    try {
      await this.#producer.transaction(async (transaction) => {
        for (let left = random.integer(1, SENDS_MAX); left > 0; left--) {
          const partition = random.integer(0, PARTITIONS - 1);
          const key = keyOf(TOPICS.input, partition);
          const values = Array.from({ length: random.integer(1, RECORDS_MAX) }, () => this.#value());
          const at = sends.push(...values.map((value) => sendOf({ key, value }))) - values.length;
          const told = await transaction.send(
            TOPICS.input,
            values.map((value) => ({ value, partition })),
          );
          for (const [index, value] of values.entries())
            sends[at + index] = sendOf({ key, value }, told[index]?.offset);
          if (random.chance(0.1)) await setTimeout(random.integer(5, 60));
        }
        if (random.chance(0.2)) throw new Unwanted();
        // From here on it may be committed, whatever is heard of it.
        outcome = 'info';
      });
      outcome = 'ok';
    } catch (error) {
      goesOn = error instanceof Unwanted || !isFenced(error);
    }
    record({ outcome, isTransaction: true, steps: sends });
    return goesOn;
  }

  #value(): string {
    return `${this.#parts.name}.${++Transactions.#made}`;
  }
}

const TRANSACTION_TIMEOUT_MS = 8_000;

export function producerOf(client: Client, transactionalId: string) {
  return client.producer({ transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS });
}

export function isFenced(error: unknown): boolean {
  return error instanceof BrokerError && error.code === 'PRODUCER_FENCED';
}

/** Ends what is open of these ids: who had them is gone. */
export async function settle(client: Client, transactionalIds: Iterable<string>): Promise<void> {
  for (const id of transactionalIds) await producerOf(client, id).transaction(() => {});
}
