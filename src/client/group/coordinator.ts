import type { Millis } from '../../model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError, closedError, mayRetry } from '../errors.ts';
import type { Exchange, RequestOptions } from '../exchange.ts';
import { abortable, Patience } from '../retry.ts';
import { verdictOn } from './verdict.ts';

/**
 * What a member says on its own connections: JoinGroup waits at the broker until all members have come, and a broker
 * answers a connection's requests in their order. So heartbeats and commits take another one.
 */
export type Line = 'joining' | 'living';

export interface CoordinatorOptions {
  cluster: Cluster;
  /** The number of the broker that it is now. @throws BrokerError, ConnectionLost */
  find: () => Promise<number>;
  /** Whose it is: what is closed, for people. */
  owner: string;
  clock: Clock;
  random: Random;
  /** How long one call is tried again. */
  retryForMs: Millis;
}

/** The way to a coordinator, which moves with its partition: of a group, or of a transactional id. */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #lines = new Map<Line, Promise<Exchange>>();
  #nodeId: Promise<number> | undefined;
  readonly #life = new AbortController();
  /** Calls that have failed and are tried again. */
  #failing = 0;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
  }

  /**
   * Asks until the coordinator, whoever it is by then, has answered. `attempt` throws the error in its answer.
   * @throws the last error, when it is for good or the time is up; what the signal says.
   */
  async ask<T>(
    line: Line,
    { timeoutMs = this.#options.cluster.answerTimeoutMs, signal }: RequestOptions,
    attempt: (exchange: Exchange, options: RequestOptions) => Promise<T>,
  ): Promise<T> {
    const { clock, random, retryForMs } = this.#options;
    const life = this.#life.signal;
    const either = signal === undefined ? life : AbortSignal.any([life, signal]);
    const patience = new Patience({ clock, random, retryForMs, signal: either });
    let isFailing = false;
    try {
      for (;;) {
        try {
          const exchange = await abortable(this.#line(line), either);
          return await attempt(exchange, { timeoutMs, signal: either });
        } catch (error) {
          if (verdictOn(error) === 'elsewhere' && error instanceof BrokerError) this.#hangUp();
          if (!isFailing && mayRetry(error)) this.#failing++;
          isFailing ||= mayRetry(error);
          await patience.wait(error);
        }
      }
    } finally {
      if (isFailing) this.#failing--;
    }
  }

  /** Something is being tried again. */
  get isFailing(): boolean {
    return this.#failing > 0;
  }

  close(): void {
    this.#life.abort(closedError(this.#options.owner));
    this.#hangUp();
  }

  #hangUp(): void {
    this.#nodeId = undefined;
    for (const opening of this.#lines.values())
      opening.then(
        (exchange) => exchange.close(),
        () => {},
      );
    this.#lines.clear();
  }

  /** @throws BrokerError, ConnectionLost: the next call asks again who it is. */
  async #line(line: Line): Promise<Exchange> {
    let opening = this.#lines.get(line);
    if (opening === undefined) this.#lines.set(line, (opening = this.#open()));
    try {
      const exchange = await opening;
      if (!exchange.isClosed) return exchange;
    } catch (error) {
      this.#drop(line, opening);
      throw error;
    }
    this.#drop(line, opening);
    return this.#line(line);
  }

  async #open(): Promise<Exchange> {
    const { cluster, find } = this.#options;
    this.#nodeId ??= find();
    const exchange = await cluster.open(await this.#nodeId);
    if (!this.#life.signal.aborted) return exchange;
    exchange.close();
    throw closedError(this.#options.owner);
  }

  #drop(line: Line, opening: Promise<Exchange>): void {
    if (this.#lines.get(line) !== opening) return;
    this.#lines.delete(line);
    this.#nodeId = undefined;
  }
}
