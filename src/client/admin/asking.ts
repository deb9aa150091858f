import { ErrorCode } from '../../model/errors.ts';
import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { WebCrypto } from '../../sasl/web-crypto.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError, MilenaError, mayRetry } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { findCoordinators } from '../group/find-coordinator.ts';
import { abortable, retrying } from '../retry.ts';

export interface AdminParts {
  cluster: Cluster;
  clock: Clock;
  random: Random;
  /** How long what may pass is tried again. */
  retryForMs: Millis;
  /** The platform's `crypto`, for passwords. */
  webCrypto?: WebCrypto | undefined;
}

export interface AdminOptions {
  /** Nobody waits any more; what was asked may be done all the same. */
  signal?: AbortSignal | undefined;
}

/** What one of several things came to. */
export type Outcome<T> = T | MilenaError;

/** Asks one broker for its part; what it does not answer is left out. */
export type AskBroker<K, T> = (broker: Exchange, keys: readonly K[]) => Promise<Map<K, Outcome<T>>>;

/** How long a broker may take to do something, where it lets itself be told. */
export const DO_WITHIN_MS = 25_000;

/** Brokers' answers, tried again within the budget. */
export class Asking {
  readonly cluster: Cluster;
  readonly #parts: AdminParts;

  constructor(parts: AdminParts) {
    this.cluster = parts.cluster;
    this.#parts = parts;
  }

  nowMs(): Millis {
    return this.#parts.clock.now();
  }

  /** @throws MilenaError when it fails for good, or its time is up; what the signal says, at once. */
  async try<T>(attempt: () => Promise<T>, { signal }: AdminOptions = {}): Promise<T> {
    signal?.throwIfAborted();
    const { clock, random, retryForMs } = this.#parts;
    return abortable(retrying(attempt, { clock, random, retryForMs, signal }), signal);
  }

  /**
   * Asks for some things at once; those that fail in a way that may pass are asked for again, without the others.
   * @param ask says nothing of what was not answered. @throws what is no MilenaError.
   */
  async each<K, T>(
    keys: readonly K[],
    ask: (keys: readonly K[]) => Promise<Map<K, Outcome<T>>>,
    options: AdminOptions = {},
  ): Promise<Map<K, Outcome<T>>> {
    const outcomes = new Map<K, Outcome<T>>();
    const isLeft = (key: K) => mayRetry(outcomes.get(key));
    let left = keys;
    try {
      await this.try(async () => {
        const answered = left.length === 0 ? new Map<K, Outcome<T>>() : await ask(left);
        for (const key of left) outcomes.set(key, answered.get(key) ?? unanswered(key));
        left = left.filter(isLeft);
        const [first] = left;
        if (first !== undefined) throw outcomes.get(first);
      }, options);
    } catch (error) {
      if (!(error instanceof MilenaError)) throw error;
      for (const key of left) if (!isLeft(key)) outcomes.set(key, error);
    }
    return outcomes;
  }

  /** The controller; in a cluster of Kafka 4 any broker stands for it. */
  async controller({ signal }: AdminOptions = {}): Promise<Exchange> {
    const { controllerId } = await this.cluster.metadata([], signal);
    return controllerId < 0 ? this.cluster.anyBroker(signal) : this.cluster.broker(controllerId);
  }

  /**
   * Asks every broker, by their ids; what may pass is tried again.
   * @throws MilenaError when one cannot say: a list with holes would mislead.
   */
  async ofBrokers<T>(
    ask: (broker: Exchange, where: string, nodeId: number) => Promise<Outcome<T>>,
    { signal }: AdminOptions = {},
  ): Promise<T[]> {
    const { brokers } = await this.try(() => this.cluster.metadata([], signal), { signal });
    const nodeIds = brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b);
    const askSome = (some: readonly number[]) =>
      this.split(new Map(some.map((nodeId) => [nodeId, nodeId])), async (broker, [nodeId = -1]) => {
        return new Map([[nodeId, await ask(broker, `broker ${nodeId}`, nodeId)]]);
      });
    return allFor(nodeIds, await this.each(nodeIds, askSome, { signal }));
  }

  /** Asks the coordinators of some groups, each for its own. */
  ofGroups<T>(
    groupIds: readonly string[],
    ask: AskBroker<string, T>,
    options?: AdminOptions,
  ): Promise<Map<string, Outcome<T>>> {
    const askAll = async (some: readonly string[]) =>
      this.split(await findCoordinators(this.cluster, some), ask);
    return this.each(groupIds, askAll, options);
  }

  /** Asks each broker for its part, all at the same time; what goes wrong with one is told of its part alone. */
  async split<K, T>(
    nodeIds: ReadonlyMap<K, Outcome<number>>,
    ask: AskBroker<K, T>,
  ): Promise<Map<K, Outcome<T>>> {
    const outcomes = new Map<K, Outcome<T>>();
    const parts = new Map<number, K[]>();
    for (const [key, nodeId] of nodeIds) {
      if (nodeId instanceof MilenaError) outcomes.set(key, nodeId);
      else if (!parts.has(nodeId)) parts.set(nodeId, [key]);
      else parts.get(nodeId)?.push(key);
    }
    const askOne = async ([nodeId, keys]: [number, K[]]) => {
      try {
        const answered = await ask(await this.cluster.broker(nodeId), keys);
        for (const [key, outcome] of answered) outcomes.set(key, outcome);
      } catch (error) {
        if (!(error instanceof MilenaError)) throw error;
        for (const key of keys) outcomes.set(key, error);
      }
    };
    await Promise.all(Array.from(parts, askOne));
    return outcomes;
  }
}

/** What a broker says of one thing. */
export function outcomeOf<T>(
  { errorCode, errorMessage = null }: { errorCode: number; errorMessage?: string | null },
  { where, value }: { where: string; value: T },
): Outcome<T> {
  return errorCode === ErrorCode.NONE ? value : new BrokerError(errorCode, where, errorMessage);
}

/** All of them. @throws MilenaError the one that failed; of several the first, which names the others. */
export function allOf<T>(outcomes: Iterable<Outcome<T>>): T[] {
  const all = [...outcomes];
  const errors = all.filter((outcome) => outcome instanceof MilenaError);
  const [first] = errors;
  if (first === undefined) return all as T[];
  if (errors.length === 1) throw first;
  const { code, hint, retriable } = first;
  throw new MilenaError([...new Set(errors.map(({ message }) => message))].join('; '), {
    code,
    hint,
    retriable,
    cause: first,
  });
}

/** Of each of these, in their order. @throws as {@link allOf} */
export function allFor<K, T>(keys: readonly K[], outcomes: ReadonlyMap<K, Outcome<T>>): T[] {
  return allOf(keys.map((key) => outcomes.get(key) ?? unanswered(key)));
}

/** There is no such topic, and waiting for it is not what was asked: unlike Kafka's own, which may be too early. */
export function unknownTopic(name: string): MilenaError {
  const { code, message, hint } = new BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name);
  return new MilenaError(message, { code, hint });
}

function unanswered(key: unknown): MilenaError {
  return new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, `${String(key)}: the broker says nothing of it`);
}
