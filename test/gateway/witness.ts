import { type RawClient, type TestBroker, batch, fetchOne, produce } from './harness.ts';
import { until } from './until.ts';

/** A client that minds its own business: writes a record and reads it back, again and again. */
export class Witness {
  readonly #client: RawClient;
  readonly #topic: { name: string; id: string };
  #rounds = 0;
  #failure: unknown;

  private constructor(client: RawClient, topic: { name: string; id: string }) {
    this.#client = client;
    this.#topic = topic;
    void this.#run();
  }

  static async start(server: TestBroker, name = 'witness'): Promise<Witness> {
    const client = await server.client();
    return new Witness(client, await server.topic(client, { name }));
  }

  async #run(): Promise<void> {
    try {
      while (!this.#client.socket.destroyed) await this.#round();
    } catch (error) {
      if (!this.#client.socket.destroyed) this.#failure = error;
    }
  }

  async #round(): Promise<void> {
    const value = `round ${this.#rounds}`;
    const { baseOffset, errorCode } = await produce(this.#client, this.#topic, batch([value]));
    if (errorCode !== 0 || baseOffset !== this.#rounds)
      throw new Error(`${value}: code ${errorCode} at ${baseOffset}`);
    const { records } = await fetchOne(this.#client, { topic: this.#topic, fetchOffset: baseOffset });
    if (!Buffer.from(records ?? []).includes(value)) throw new Error(`${value} is not what was read`);
    this.#rounds++;
  }

  /** Nothing has gone wrong so far, and it goes on: whole rounds that begin after now are answered. */
  async isWell(): Promise<void> {
    const enough = this.#rounds + 2;
    await until(
      'the well-behaved client has made two more rounds',
      () => this.#rounds >= enough || this.#failure !== undefined,
    );
    if (this.#failure !== undefined) throw this.#failure;
  }
}
