import { FrameReader } from '../../wire/frame-reader.ts';
import { HANDLERS } from '../../gateway/handlers/index.ts';
import { at } from '../../model/assert.ts';
import type { Millis } from '../../model/ids.ts';
import { decodeResponse, encodeRequest } from '../../wire/frame.ts';
import type { Api, RequestInitOf, ResponseOf } from '../../wire/schema.ts';
import type { Link, LinkListener } from './network.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** The answer is not known: the node is down, the connection broke, or time ran out. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';
}

export interface ClientParts {
  scheduler: Scheduler;
  random: SeededRandom;
  /** A connection to the node, undefined while it is down. */
  connect: (listener: LinkListener) => Link | undefined;
  /** Counts a request. */
  onRequest: () => void;
}

interface Waiting {
  version: number;
  api: Api;
  resolve: (body: unknown) => void;
  reject: (error: NoAnswer) => void;
  cancelTimer: () => void;
}

const RECONNECT_MS: [least: Millis, most: Millis] = [20, 120];
const RESPONSE_MAX_BYTES = 16 * 1024 * 1024;
const SERVED = new Map(HANDLERS.map(({ api, min, max }) => [api.key, { min, max }]));

/** One client of the node: speaks the wire, connects again by itself, has many requests under way. */
export class Client {
  readonly name: string;
  readonly random: SeededRandom;
  readonly #parts: ClientParts;
  readonly #waiting = new Map<number, Waiting>();
  #link: Link | undefined;
  #frames = new FrameReader(RESPONSE_MAX_BYTES);
  #lastCorrelationId = 0;

  constructor(name: string, parts: ClientParts) {
    this.name = name;
    this.random = parts.random;
    this.#parts = parts;
  }

  get link(): Link | undefined {
    return this.#link;
  }

  /** A version of `api` that the node serves, by chance. @param least leave out those below. */
  versionOf(api: Api, least = 0): number {
    const { min, max } = SERVED.get(api.key) ?? { min: 0, max: 0 };
    const from = Math.max(min, least);
    return from + this.random.int(max - from + 1);
  }

  /** Sends and waits. @throws NoAnswer when it is not known what became of the request. */
  async request<A extends Api>(
    api: A,
    version: number,
    body: RequestInitOf<A>,
    timeoutMs: Millis = 3_000,
  ): Promise<ResponseOf<A>> {
    const link = this.#link ?? (await this.connect());
    return (await this.#ask(link, { api, version, body, timeoutMs })) as ResponseOf<A>;
  }

  /** Sends what has no answer. */
  async send<A extends Api>(api: A, version: number, body: RequestInitOf<A>): Promise<void> {
    const link = this.#link ?? (await this.connect());
    this.#write(link, api, version, body);
  }

  /** Goes away without a word to anybody. */
  disconnect(): void {
    const link = this.#link;
    link?.leave();
    this.#lost(link);
  }

  #ask<A extends Api>(
    link: Link,
    { api, version, body, timeoutMs }: { api: A; version: number; body: RequestInitOf<A>; timeoutMs: Millis },
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const correlationId = this.#write(link, api, version, body);
      const cancelTimer = this.#parts.scheduler.after(timeoutMs, 'request timeout', () => this.disconnect());
      this.#waiting.set(correlationId, { api, version, resolve, reject, cancelTimer });
    });
  }

  #write<A extends Api>(link: Link, api: A, version: number, body: RequestInitOf<A>): number {
    const correlationId = ++this.#lastCorrelationId;
    this.#parts.onRequest();
    this.#parts.scheduler.note(`${this.name} asks ${api.name} v${version}`);
    link.send(encodeRequest(api, version, { correlationId, clientId: this.name }, body));
    return correlationId;
  }

  /** Requests made once it resolves leave in their order. @throws NoAnswer when the node is down. */
  async connect(): Promise<Link> {
    if (this.#link) return this.#link;
    await this.#parts.scheduler.sleep(this.random.between(...RECONNECT_MS));
    const known = this.#link;
    if (known !== undefined) return known;
    const link: Link | undefined = this.#parts.connect({
      data: (chunk) => this.#received(chunk),
      closed: () => this.#lost(link),
    });
    if (link === undefined) throw new NoAnswer('the node is down');
    this.#frames = new FrameReader(RESPONSE_MAX_BYTES);
    return (this.#link = link);
  }

  #received(chunk: Uint8Array): void {
    this.#frames.push(chunk, (frame) => {
      const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
      const correlationId = view.getInt32(0);
      const waiting = this.#waiting.get(correlationId);
      if (waiting === undefined) throw new Error(`an answer to ${correlationId}, which nobody asked`);
      this.#waiting.delete(correlationId);
      waiting.cancelTimer();
      waiting.resolve(decodeResponse(waiting.api, waiting.version, frame).body);
    });
  }

  #lost(link: Link | undefined): void {
    if (link === undefined || link !== this.#link) return;
    this.#link = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) {
      one.cancelTimer();
      one.reject(new NoAnswer('the connection is gone'));
    }
  }
}

/** The only element of a list that must have one. */
export function only<T>(items: readonly T[]): T {
  return at(items, 0);
}
