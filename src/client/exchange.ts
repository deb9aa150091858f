import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { Millis } from '../model/ids.ts';
import type { ConnectionMessage } from '../ports/diagnostics.ts';
import type { BrokerAddress, ByteStream } from '../ports/transport.ts';
import { apiVersionsApi, type ApiVersionsResponse } from '../wire/apis/18-api-versions.ts';
import { decodeResponse, encodeRequest } from '../wire/frame.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import type { Api, RequestInitOf, ResponseOf } from '../wire/schema.ts';
import { BrokerError, ConnectionLost, MilenaError } from './errors.ts';
import {
  type Asked,
  type ExchangeOptions,
  type Pending,
  type RequestOptions,
  SOFTWARE,
  type Versions,
  featuresIn,
  versionsIn,
} from './exchange-options.ts';
import { type Login, type LoginExchange, LoginSession } from './login-session.ts';
import { ReceiveSpace } from './receive-space.ts';

export type { ExchangeOptions, RequestOptions, Versions } from './exchange-options.ts';

const IN_FLIGHT_MAX = 5;
const REQUEST_TIMEOUT_MS = 30_000;
/** Of that time: requests that are given more are known to be slow. */
const SLOW_RATIO = 1.5;
const CONNECT_TIMEOUT_MS = 10_000;
/** A response that is longer is not Kafka's, or not for us. */
const RESPONSE_MAX_BYTES = 512 * 1024 * 1024;
/** A correlation id and something: HTTP servers and others say something else. */
const RESPONSE_MIN_BYTES = 6;
/** After the correlation id; ApiVersions has no tags in its header. */
const API_VERSIONS_ERROR_AT = 4;

/** One connection to one broker: requests out, in the order they are made, answers back in the same order. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #frames = new FrameReader(RESPONSE_MAX_BYTES);
  readonly #space = new ReceiveSpace(RESPONSE_MAX_BYTES);
  readonly #address: BrokerAddress;
  readonly title: string;
  #stream: ByteStream | undefined;
  #queue: Pending[] = [];
  #inFlight: Pending[] = [];
  #hasRoom = true;
  #throttled: (() => void) | undefined;
  #lastCorrelationId = 0;
  #closedBecause: string | undefined;
  #isOpen = false;
  #isRenewing = false;
  #session: LoginSession | undefined;
  #versions: ReadonlyMap<number, Versions> = new Map();
  #features: ReadonlyMap<string, number> = new Map();

  private constructor(options: ExchangeOptions, address: BrokerAddress) {
    this.#options = options;
    this.#address = address;
    this.title = `${address.host}:${address.port}`;
  }

  /** Connects and learns what the broker speaks. @throws ConnectionLost when there is none. */
  static async open(
    options: ExchangeOptions,
    address: BrokerAddress,
    signal?: AbortSignal,
  ): Promise<Exchange> {
    const exchange = new Exchange(options, address);
    try {
      await exchange.#connect(address, signal);
      const { connectTimeoutMs: timeoutMs = CONNECT_TIMEOUT_MS } = options;
      const offered = await exchange.#apiVersions({ timeoutMs, signal });
      exchange.#versions = versionsIn(offered);
      exchange.#features = featuresIn(offered);
      if (options.login !== undefined) await exchange.#logIn(options.login);
      exchange.#isOpen = true;
      exchange.#tell('opened', undefined);
    } catch (error) {
      exchange.#tell('failed', (error as Error).message);
      exchange.close();
      throw error;
    }
    return exchange;
  }

  /** What is asked while it logs in again waits. */
  async #logIn(login: Login): Promise<void> {
    const { clock } = this.#options;
    this.#session = new LoginSession(login, clock, {
      exchange: this.#ahead(),
      began: () => (this.#isRenewing = true),
      renewed: () => {
        this.#isRenewing = false;
        this.#flush();
      },
      failed: (why) => this.#break(why),
    });
    await this.#session.logIn();
  }

  /** Requests that do not wait behind others. */
  #ahead(): LoginExchange {
    return {
      request: async (api, versions, body) => {
        const version = this.versionOf(api, versions);
        const frame = await new Promise<Uint8Array>((answered, failed) => {
          if (this.isClosed) return failed(new ConnectionLost(this.#lostBecause));
          this.#write(this.#pendingOf({ api, version, body, answered, failed, sent: () => {} }));
        });
        return this.#decode(api, version, frame);
      },
    };
  }

  get isClosed(): boolean {
    return this.#closedBecause !== undefined;
  }

  /** The level of a feature that the cluster has agreed on; 0 where it knows none (KIP-584). */
  featureLevel(name: string): number {
    return this.#features.get(name) ?? 0;
  }

  /** What the broker offers, by API number. */
  get versions(): ReadonlyMap<number, Versions> {
    return this.#versions;
  }

  /**
   * Asks in the newest version that broker and caller both can. The body is encoded when it is sent: it must not be
   * changed before the answer.
   * @throws ConnectionLost; BrokerError UNSUPPORTED_VERSION when there is none.
   */
  async request<A extends Api>(
    api: A,
    versions: Versions,
    body: RequestInitOf<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOf<A>> {
    const version = this.versionOf(api, versions);
    const frame = await this.#send(api, version, body, options);
    return this.#decode(api, version, frame);
  }

  /** Sends what has no answer; resolves when it is handed to the transport. @throws ConnectionLost */
  post<A extends Api>(api: A, versions: Versions, body: RequestInitOf<A>): Promise<void> {
    return new Promise((resolve, reject) => {
      const version = this.versionOf(api, versions);
      this.#enqueue({ api, version, body, answered: undefined, sent: resolve, failed: reject });
    });
  }

  /** The newest version that broker and caller both can. @throws BrokerError UNSUPPORTED_VERSION */
  versionOf(api: Api, versions: Versions): number {
    const offered = this.#versions.get(api.key);
    const version = Math.min(offered?.max ?? -1, versions.max);
    if (version >= Math.max(offered?.min ?? 0, versions.min)) return version;
    const { min, max } = versions;
    const wanted = `${api.name} ${min === max ? min : `${min} to ${max}`}`;
    const said =
      offered === undefined
        ? `this broker does not serve ${api.name}`
        : `${wanted} is needed, this broker serves ${offered.min} to ${offered.max}`;
    throw new BrokerError(ErrorCode.UNSUPPORTED_VERSION, said);
  }

  /**
   * Asks for a sign of life, behind what is under way; without one in time it counts as lost. Not behind what may take
   * far longer than others, as JoinGroup does: that has a deadline of its own.
   */
  probe(timeoutMs: Millis): void {
    const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = this.#options;
    const isSlow = this.#inFlight.some((one) => one.timeoutMs > SLOW_RATIO * requestTimeoutMs);
    if (this.isClosed || isSlow) return;
    const nothing = () => {};
    const asked = {
      api: apiVersionsApi,
      version: 0,
      body: {},
      answered: nothing,
      sent: nothing,
      failed: nothing,
    };
    this.#write(this.#pendingOf({ ...asked, timeoutMs }));
  }

  /** Nobody looks any more at an answer that lies in this memory, if the transport reads in place: once an answer. */
  giveBack(buffer: ArrayBufferLike): void {
    this.#space.giveBack(buffer);
  }

  close(): void {
    this.#break('closed here');
  }

  async #connect(address: BrokerAddress, signal: AbortSignal | undefined): Promise<void> {
    const { transport, clock, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const giveUp = new AbortController();
    const late = new ConnectionLost(`${this.title}: no answer`);
    const cancel = clock.at(clock.now() + connectTimeoutMs, () => giveUp.abort(late));
    const aborted = () => giveUp.abort(signal?.reason);
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted) aborted();
    try {
      const events = {
        received: (chunk: Uint8Array) => this.#receive((answered) => this.#frames.push(chunk, answered)),
        inPlace: {
          space: () => this.#space.space(),
          filled: (size: number) => this.#receive((answered) => this.#space.filled(size, answered)),
        },
        drained: () => this.#drained(),
        closed: (why: string) => this.#close(why),
      };
      this.#stream = await transport.open(address, events, giveUp.signal);
    } catch (error) {
      if (signal?.aborted || error instanceof MilenaError) throw error;
      throw new ConnectionLost(error instanceof Error ? error.message : String(error), error);
    } finally {
      cancel();
      signal?.removeEventListener('abort', aborted);
    }
  }

  /** A broker that does not know our version answers in the oldest (KIP-511). */
  async #apiVersions(options: RequestOptions): Promise<ApiVersionsResponse> {
    const frame = await this.#send(apiVersionsApi, 3, SOFTWARE, options);
    const errorCode = new DataView(frame.buffer, frame.byteOffset).getInt16(API_VERSIONS_ERROR_AT);
    if (errorCode !== ErrorCode.UNSUPPORTED_VERSION) return this.#decode(apiVersionsApi, 3, frame);
    return this.#decode(apiVersionsApi, 0, await this.#send(apiVersionsApi, 0, SOFTWARE, options));
  }

  /** Bytes that are no answer of that kind end the connection: what follows cannot be believed either. */
  #decode<A extends Api>(api: A, version: number, frame: Uint8Array): ResponseOf<A> {
    try {
      const { body } = decodeResponse(api, version, frame);
      this.#throttle((body as { throttleTimeMs?: number }).throttleTimeMs ?? 0);
      return body;
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.#break(`what answers is no Kafka broker: ${error.message}`);
      throw new ConnectionLost(this.#lostBecause, error);
    }
  }

  #send(
    api: Api,
    version: number,
    body: unknown,
    { timeoutMs, signal }: RequestOptions,
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const aborted = () => {
        this.#queue = this.#queue.filter((other) => other !== pending);
        reject(signal?.reason as Error);
      };
      const settled = () => signal?.removeEventListener('abort', aborted);
      const answered = (frame: Uint8Array) => {
        settled();
        resolve(frame);
      };
      const failed = (error: unknown) => {
        settled();
        reject(error as Error);
      };
      signal?.addEventListener('abort', aborted, { once: true });
      const pending = this.#enqueue({ api, version, body, timeoutMs, answered, sent: () => {}, failed });
    });
  }

  #pendingOf(asked: Asked): Pending {
    const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = this.#options;
    const { timeoutMs = requestTimeoutMs } = asked;
    return { ...asked, timeoutMs, correlationId: ++this.#lastCorrelationId, cancelTimer: () => {} };
  }

  #enqueue(asked: Asked): Pending {
    const pending = this.#pendingOf(asked);
    if (this.isClosed) asked.failed(new ConnectionLost(this.#lostBecause));
    else this.#queue.push(pending);
    this.#flush();
    return pending;
  }

  /** Sends what may be sent. */
  #flush(): void {
    const { inFlightMax = IN_FLIGHT_MAX } = this.#options;
    if (this.#isRenewing) return;
    while (this.#hasRoom && this.#throttled === undefined && this.#inFlight.length < inFlightMax) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#write(next);
    }
  }

  #write(pending: Pending): void {
    const { clock, clientId } = this.#options;
    const { api, version, correlationId, timeoutMs } = pending;
    let bytes: Uint8Array;
    try {
      bytes = encodeRequest(api, version, { correlationId, clientId }, pending.body as never);
    } catch (error) {
      return pending.failed(error);
    }
    if (pending.answered !== undefined) {
      this.#inFlight.push(pending);
      const late = () => this.#break(`no answer to ${api.name} within ${timeoutMs} ms`);
      pending.cancelTimer = clock.at(clock.now() + timeoutMs, late);
    }
    if (this.#options.diagnostics?.request.hasSubscribers)
      pending.watched = { atMs: clock.now(), requestBytes: bytes.length };
    this.#hasRoom = this.#stream?.write(bytes) ?? false;
    pending.sent();
  }

  #drained(): void {
    this.#hasRoom = true;
    this.#flush();
  }

  /** A broker over quota answers at once and reads no more for a while: so do we send no more (KIP-219). */
  #throttle(forMs: Millis): void {
    if (forMs <= 0 || this.isClosed) return;
    const { clock } = this.#options;
    this.#throttled?.();
    this.#throttled = clock.at(clock.now() + forMs, () => {
      this.#throttled = undefined;
      this.#flush();
    });
  }

  #receive(cut: (answered: (frame: Uint8Array) => void) => void): void {
    if (this.isClosed) return;
    try {
      cut((frame) => {
        if (!this.isClosed) this.#answer(frame);
      });
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.#break('what answers is no Kafka broker');
    }
    this.#flush();
  }

  #answer(frame: Uint8Array): void {
    if (frame.length < RESPONSE_MIN_BYTES) return this.#break('what answers is no Kafka broker');
    const correlationId = new DataView(frame.buffer, frame.byteOffset).getInt32(0);
    const [first] = this.#inFlight;
    if (first?.correlationId !== correlationId)
      return this.#break('what answers is no Kafka broker: its answers came out of order');
    this.#inFlight.shift();
    first.cancelTimer();
    if (first.watched !== undefined) this.#tellRequest(first, frame.length);
    first.answered?.(frame);
  }

  get #lostBecause(): string {
    const why = this.#closedBecause ?? 'lost';
    return why.startsWith(this.title) || why.includes('://') ? why : `${this.title}: ${why}`;
  }

  #break(why: string): void {
    this.#close(why);
    this.#stream?.close();
  }

  #close(why: string): void {
    this.#closedBecause ??= why;
    if (this.#isOpen) this.#tell('closed', this.#closedBecause);
    this.#isOpen = false;
    this.#throttled?.();
    this.#session?.stop();
    const lost = [...this.#inFlight, ...this.#queue];
    this.#inFlight = [];
    this.#queue = [];
    for (const pending of lost) {
      pending.cancelTimer();
      this.#tellRequest(pending, undefined);
      pending.failed(new ConnectionLost(this.#lostBecause));
    }
  }

  #tell(what: ConnectionMessage['what'], why: string | undefined): void {
    const { diagnostics, clientId } = this.#options;
    if (diagnostics?.connection.hasSubscribers)
      diagnostics.connection.publish({ what, clientId, ...this.#address, why });
  }

  /** What nobody watched when it was sent is not told of. */
  #tellRequest(pending: Pending, responseBytes: number | undefined): void {
    const { diagnostics, clientId, clock } = this.#options;
    const { api, version, correlationId } = pending;
    if (pending.watched === undefined || !diagnostics?.request.hasSubscribers) return;
    const { requestBytes, atMs } = pending.watched;
    const durationMs = clock.now() - atMs;
    const about = { clientId, ...this.#address, api: api.name, version, correlationId };
    diagnostics.request.publish({ ...about, requestBytes, responseBytes, durationMs });
  }
}
