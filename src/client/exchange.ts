import { concat } from '../model/bytes.ts';
import { ErrorCode, KafkaError } from '../model/errors.ts';
import { apiVersionsApi, type ApiVersionsResponse } from '../wire/apis/18-api-versions.ts';
import { decodeResponse, encodeRequest } from '../wire/frame.ts';
import type { Api, RequestInitOf, ResponseOf } from '../wire/schema.ts';

export interface Address {
  host: string;
  port: number;
}

/** A byte stream to a broker, as the host gives it. */
export interface Stream {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** What a stream tells of itself. */
export interface StreamEvents {
  received: (chunk: Uint8Array) => void;
  /** Once; nothing is received after it. */
  closed: (why: string) => void;
}

/** Opens a stream. @throws ConnectionLost when nobody answers there. */
export type Dial = (address: Address, events: StreamEvents) => Promise<Stream>;

/** The broker cannot be reached, or went away: what was asked may have been done or not. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost';
}

/** Versions of one API, ends included. */
export interface Versions {
  min: number;
  max: number;
}

interface Waiting {
  correlationId: number;
  answered: (frame: Uint8Array) => void;
  lost: (error: ConnectionLost) => void;
}

/** A response that is longer is not Kafka's, or not for us. */
const RESPONSE_MAX_BYTES = 512 * 1024 * 1024;
const SIZE_BYTES = 4;
/** After the correlation id; ApiVersions has no tags in its header. */
const API_VERSIONS_ERROR_AT = 4;

/** One connection to one broker: requests out, answers back in the same order. Requests may overlap. */
export class Exchange {
  readonly #clientId: string;
  #stream: Stream | undefined;
  #waiting: Waiting[] = [];
  #chunks: Uint8Array[] = [];
  #heldBytes = 0;
  #lastCorrelationId = 0;
  #closedBecause: string | undefined;
  #versions: ReadonlyMap<number, Versions> = new Map();

  private constructor(clientId: string) {
    this.#clientId = clientId;
  }

  /** Connects and learns what the broker speaks. @throws ConnectionLost when there is none. */
  static async open(dial: Dial, address: Address, clientId: string): Promise<Exchange> {
    const exchange = new Exchange(clientId);
    exchange.#stream = await dial(address, {
      received: (chunk) => exchange.#receive(chunk),
      closed: (why) => exchange.#close(why),
    });
    const { apiKeys } = await exchange.#apiVersions();
    exchange.#versions = new Map(
      apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
    );
    return exchange;
  }

  get isClosed(): boolean {
    return this.#closedBecause !== undefined;
  }

  /** What the broker offers, by API number. */
  get versions(): ReadonlyMap<number, Versions> {
    return this.#versions;
  }

  /**
   * Asks in the newest version that broker and caller both can.
   * @throws ConnectionLost; KafkaError UNSUPPORTED_VERSION when there is none; WireError for an answer that is none.
   */
  async request<A extends Api>(api: A, versions: Versions, body: RequestInitOf<A>): Promise<ResponseOf<A>> {
    const offered = this.#versions.get(api.key);
    const version = Math.min(offered?.max ?? -1, versions.max);
    if (version < Math.max(offered?.min ?? 0, versions.min)) {
      const has = offered === undefined ? 'none' : `${offered.min} to ${offered.max}`;
      throw new KafkaError(
        ErrorCode.UNSUPPORTED_VERSION,
        `${api.name} ${versions.min} to ${versions.max} is needed, the broker offers ${has}`,
      );
    }
    return decodeResponse(api, version, await this.#send(api, version, body)).body;
  }

  close(): void {
    this.#break('closed here');
  }

  /** A broker that does not know our version answers in the oldest (KIP-511). */
  async #apiVersions(): Promise<ApiVersionsResponse> {
    const software = { clientSoftwareName: 'milena', clientSoftwareVersion: '0' };
    const frame = await this.#send(apiVersionsApi, 3, software);
    const errorCode = new DataView(frame.buffer, frame.byteOffset).getInt16(API_VERSIONS_ERROR_AT);
    if (errorCode !== ErrorCode.UNSUPPORTED_VERSION) return decodeResponse(apiVersionsApi, 3, frame).body;
    return decodeResponse(apiVersionsApi, 0, await this.#send(apiVersionsApi, 0, software)).body;
  }

  #send<A extends Api>(api: A, version: number, body: RequestInitOf<A>): Promise<Uint8Array> {
    const correlationId = ++this.#lastCorrelationId;
    return new Promise((resolve, reject) => {
      if (this.#closedBecause !== undefined) return reject(new ConnectionLost(this.#closedBecause));
      const request = encodeRequest(api, version, { correlationId, clientId: this.#clientId }, body);
      this.#waiting.push({ correlationId, answered: resolve, lost: reject });
      this.#stream?.write(request);
    });
  }

  #receive(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    while (this.#heldBytes >= SIZE_BYTES && !this.isClosed) {
      const size = this.#peekSize();
      // A broker answers six bytes at least: HTTP servers and others say something else.
      if (size < SIZE_BYTES + 2 || size > RESPONSE_MAX_BYTES)
        return this.#break('what answers is no Kafka broker');
      if (this.#heldBytes < SIZE_BYTES + size) return;
      this.#answer(this.#take(SIZE_BYTES + size).subarray(SIZE_BYTES));
    }
  }

  #answer(frame: Uint8Array): void {
    const waiting = this.#waiting.shift();
    const correlationId = new DataView(frame.buffer, frame.byteOffset).getInt32(0);
    if (waiting?.correlationId === correlationId) return waiting.answered(frame);
    if (waiting !== undefined) this.#waiting.unshift(waiting);
    this.#break('what answers is no Kafka broker: its answers came out of order');
  }

  #break(why: string): void {
    this.#close(why);
    this.#stream?.close();
  }

  #close(why: string): void {
    this.#closedBecause ??= why;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#chunks = [];
    this.#heldBytes = 0;
    for (const { lost } of waiting) lost(new ConnectionLost(this.#closedBecause));
  }

  #peekSize(): number {
    if ((this.#chunks[0]?.length ?? 0) < SIZE_BYTES) this.#chunks = [concat(this.#chunks)];
    const first = this.#chunks[0] as Uint8Array;
    return new DataView(first.buffer, first.byteOffset).getInt32(0);
  }

  /** The next `count` bytes, in one piece. */
  #take(count: number): Uint8Array {
    const [first = new Uint8Array(0), ...rest] = this.#chunks;
    const whole = first.length >= count;
    const all = whole ? first : concat(this.#chunks);
    const left = all.length > count ? [all.subarray(count)] : [];
    this.#chunks = whole ? [...left, ...rest] : left;
    this.#heldBytes -= count;
    return all.subarray(0, count);
  }
}
