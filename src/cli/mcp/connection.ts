import type { Client } from '../../client/client.ts';
import { abortable } from '../../client/retry.ts';
import { type BrokerArgs, connectTo } from '../broker.ts';
import type { Report } from '../terminal/report.ts';

/** Of a call whose broker has gone: an agent that waits does nothing else, and can ask again. */
const RETRY_FOR_MS = 5_000;
/** After the agent has gone nobody waits for what was written. */
const CLOSE_TIMEOUT_MS = 2_000;

/** One client for all calls, made by the first of them that finds a broker. */
export class Connection implements AsyncDisposable {
  readonly #args: BrokerArgs;
  readonly #report: Report;
  readonly #life = new AbortController();
  #connecting: Promise<Client> | undefined;

  constructor(args: BrokerArgs, report: Report) {
    this.#args = args;
    this.#report = report;
  }

  /** @throws CliError; what `connect` does, and the next call tries again; what the signal says. */
  client(signal: AbortSignal): Promise<Client> {
    this.#connecting ??= this.#connect();
    return abortable(this.#connecting, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    const client = await this.#connecting?.catch(() => undefined);
    await client?.close({ timeoutMs: CLOSE_TIMEOUT_MS }).catch(() => {});
  }

  async #connect(): Promise<Client> {
    try {
      const { signal } = this.#life;
      return await connectTo(this.#args, { report: this.#report, signal, retryForMs: RETRY_FOR_MS });
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }
}
