import { concat } from '../model/bytes.ts';
import type { Millis } from '../model/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { BrokerAddress, ByteStream, Transport } from '../ports/transport.ts';
import { type Api, apiVersionsApi, type VersionsOffered } from './apis.ts';
import { bytesOf, Input, Output } from './bytes.ts';
import { lost, refusal } from './errors.ts';
import type { Token } from './login.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** A response that is longer is not for a page. */
const RESPONSE_MAX_BYTES = 64 * 1024 * 1024;

interface Pending {
  answered: (body: Input) => void;
  failed: (error: unknown) => void;
}

export interface LinkOptions {
  transport: Transport;
  clock: Clock;
  clientId: string;
  token?: Token | undefined;
}

/** One connection to one broker: questions out, answers back in their order. */
export class Link {
  readonly #clock: Clock;
  readonly #clientId: string;
  readonly #title: string;
  #stream: ByteStream | undefined;
  #chunks: Uint8Array[] = [];
  #heldBytes = 0;
  #neededBytes = 4;
  readonly #pending: Pending[] = [];
  #correlationId = 0;
  #ended: unknown;
  /** Undefined until it is known. */
  #offered: readonly VersionsOffered[] | undefined;

  private constructor({ clock, clientId }: LinkOptions, { host, port }: BrokerAddress) {
    this.#clock = clock;
    this.#clientId = clientId;
    this.#title = `${host}:${port}`;
  }

  /** @throws MilenaError CONNECTION_LOST */
  static async open(options: LinkOptions, address: BrokerAddress, signal: AbortSignal): Promise<Link> {
    const link = new Link(options, address);
    const { transport, clock } = options;
    const late = new AbortController();
    const cancel = clock.at(clock.now() + CONNECT_TIMEOUT_MS, () => late.abort());
    try {
      link.#stream = await transport.open(
        address,
        {
          received: (chunk) => link.#receive(chunk),
          drained: () => {},
          closed: (why) => link.#end(lost(why)),
        },
        AbortSignal.any([late.signal, signal]),
      );
    } catch (error) {
      signal.throwIfAborted();
      throw lost(late.signal.aborted ? `${link.#title}: no answer` : String((error as Error).message), error);
    } finally {
      cancel();
    }
    try {
      link.#offered = await link.ask(apiVersionsApi, undefined, signal);
      if (options.token) await (await import('./login.ts')).logIn(link, options.token, { signal, refusal });
    } catch (error) {
      link.close();
      throw error;
    }
    return link;
  }

  get isClosed(): boolean {
    return this.#ended !== undefined;
  }

  /** @throws MilenaError CONNECTION_LOST, UNSUPPORTED_VERSION; what the signal says: then the answer is dropped. */
  ask<Question, Answer>(
    api: Api<Question, Answer>,
    question: Question,
    signal: AbortSignal,
    timeoutMs: Millis = REQUEST_TIMEOUT_MS,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (this.#ended !== undefined) throw this.#ended as Error;
      this.#check(api);
      const late = () => this.#fail(`no answer to ${api.name} within ${timeoutMs} ms`);
      const cancel = this.#clock.at(this.#clock.now() + timeoutMs, late);
      const aborted = () => reject(signal.reason as Error);
      const over = () => {
        cancel();
        signal.removeEventListener('abort', aborted);
      };
      signal.addEventListener('abort', aborted);
      this.#pending.push({
        answered(body) {
          over();
          // Only ApiVersions has no tags in front.
          if (api.key !== apiVersionsApi.key) body.tags();
          resolve(api.read(body));
        },
        failed(error) {
          over();
          reject(error as Error);
        },
      });
      this.#stream?.write(this.#encode(api, question));
    });
  }

  close(): void {
    this.#fail('closed here');
  }

  #check({ name, key, version }: Api<never, unknown>): void {
    if (this.#offered === undefined) return;
    const found = this.#offered.find(({ apiKey }) => apiKey === key);
    if (found !== undefined && found.min <= version && version <= found.max) return;
    const has = found === undefined ? 'none' : `${found.min} to ${found.max}`;
    throw refusal(
      35,
      this.#title,
      `${name} ${version} is needed, as Kafka 3.1 has it; the broker offers ${has}`,
    );
  }

  #encode<Question>(api: Api<Question, unknown>, question: Question): Uint8Array {
    const out = new Output()
      .int32(0)
      .int16(api.key)
      .int16(api.version)
      .int32(++this.#correlationId);
    const clientId = bytesOf(this.#clientId);
    out.int16(clientId.length).raw(clientId);
    api.write(api.isOld ? out : out.end(), question);
    const bytes = out.finish();
    new DataView(bytes.buffer).setInt32(0, bytes.length - 4);
    return bytes;
  }

  /** Puts together what was cut on its way. */
  #receive(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    while (this.#ended === undefined && this.#heldBytes >= this.#neededBytes) {
      const bytes = concat(this.#chunks);
      const size = new DataView(bytes.buffer).getInt32(0);
      if (size < 4 || size > RESPONSE_MAX_BYTES) return this.#fail('what answers is no Kafka broker');
      this.#neededBytes = 4 + size;
      const isWhole = bytes.length >= this.#neededBytes;
      if (isWhole) this.#answer(new Input(bytes.subarray(4, this.#neededBytes)));
      this.#chunks = [isWhole ? bytes.subarray(this.#neededBytes) : bytes];
      if (isWhole) this.#neededBytes = 4;
      this.#heldBytes = this.#chunks[0]?.length ?? 0;
    }
  }

  #answer(frame: Input): void {
    const correlationId = this.#correlationId - this.#pending.length + 1;
    const pending = this.#pending.shift();
    try {
      if (frame.int32() !== correlationId || pending === undefined) throw new RangeError('out of order');
      pending.answered(frame);
    } catch (error) {
      // What follows cannot be believed either.
      const why = lost(`${this.#title}: what answers is no Kafka broker`, error);
      pending?.failed(why);
      this.#end(why);
      this.#stream?.close();
    }
  }

  #fail(why: string): void {
    this.#end(lost(`${this.#title}: ${why}`));
    this.#stream?.close();
  }

  #end(error: unknown): void {
    this.#ended ??= error;
    for (const { failed } of this.#pending.splice(0)) failed(this.#ended);
  }
}
