import type { Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Exchange } from './exchange.ts';

/** What a login may ask, while nothing else is. */
export type LoginExchange = Pick<Exchange, 'request'>;

export interface Login {
  /** @returns how long it holds; 0 is for ever. */
  login(exchange: LoginExchange): Promise<Millis>;
}

interface SessionParts {
  exchange: LoginExchange;
  /** It logs in again: nothing else may be asked. */
  began: () => void;
  renewed: () => void;
  failed: (why: string) => void;
}

/** Of the time a login holds. */
const RENEW_AFTER = 0.8;

/** Keeps one connection logged in: again once four fifths of its time are over (KIP-368). */
export class LoginSession {
  readonly #login: Login;
  readonly #clock: Clock;
  readonly #parts: SessionParts;
  #isOver = false;
  #cancel: (() => void) | undefined;

  constructor(login: Login, clock: Clock, parts: SessionParts) {
    this.#login = login;
    this.#clock = clock;
    this.#parts = parts;
  }

  /** @throws BrokerError, ConnectionLost */
  async logIn(): Promise<void> {
    const lifetimeMs = await this.#login.login(this.#parts.exchange);
    if (lifetimeMs <= 0 || this.#isOver) return;
    this.#cancel = this.#clock.at(this.#clock.now() + lifetimeMs * RENEW_AFTER, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { began, renewed, failed } = this.#parts;
    began();
    try {
      await this.logIn();
      renewed();
    } catch (error) {
      failed(`could not log in again: ${(error as Error).message}`);
    }
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
  }
}
