import { invariant } from '../model/assert.ts';
import { ErrorCode, KafkaError } from '../model/errors.ts';
import type { Millis } from '../model/ids.ts';
import type { Caller } from '../model/machine.ts';
import type { Authenticated } from '../sasl/server.ts';
import { ANONYMOUS } from '../security/principals.ts';
import { WireError } from '../wire/error.ts';
import { decodeRequest, decodeRequestHeader } from '../wire/frame.ts';
import { Access } from './access/access.ts';
import { handleGuarded } from './access/guards.ts';
import { Call, type RequestHeader } from './call.ts';
import { type Handler, serves } from './handler.ts';
import { FrameReader, type Unfinished } from '../wire/frame-reader.ts';
import { type ParkedFetch, ParkedFetches } from './fetch/parked-fetches.ts';
import { emptyAnswer, saysErrors } from './reply-errors.ts';
import type { Address, Gateway } from './gateway.ts';
import { saslAuthenticate, takeBareToken } from './handlers/36-sasl-authenticate.ts';
import { Login } from './login.ts';
import type { ConnectionCredit } from './read-credit.ts';

/** The host's end of a client's byte stream. */
export interface ClientSocket {
  /** Where the client reached us: what Metadata tells it to come back to. */
  readonly address: Address;
  /** What clients of its listener are told instead. */
  readonly advertised?: Address | undefined;
  /** Kafka's form of the client's address: `/127.0.0.1`. */
  readonly clientHost: string;
  readonly clientPort?: number | undefined;
  /** Chunks of the stream follow each other in memory: see `FrameReader`. */
  readonly readsInPlace: boolean;
  /** Who the client is by what its stream is wrapped in: its certificate. */
  readonly principal?: string | undefined;
  /** It has to log in before it may ask for anything. */
  readonly wantsLogin?: boolean;
  /** Its listener is let in by, however many there are (Kafka's inter.broker.listener.name). */
  readonly isProtected?: boolean;
  /** Queues bytes in order. @returns false when the client reads too slowly: wait for `drained`. */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Stops and restarts the reading of requests. */
  pause(): void;
  resume(): void;
  close(reason: CloseReason): void;
}

/** Why we closed a connection: each is counted under this name. */
export type CloseReason =
  | 'not_kafka'
  | 'bad_request'
  | 'unsupported'
  | 'acks_0_failed'
  | 'memory'
  | 'idle'
  | 'shutdown'
  // Of a client that has not said who it is, or was not believed.
  | 'login_refused'
  | 'login_missing'
  | 'login_expired'
  // There are too many, or they come too fast.
  | 'too_many_connections'
  | 'too_many_from_ip'
  | 'connects_too_often'
  // What a door finds wrong with what its stream is wrapped in.
  | 'bad_websocket'
  | 'not_binary'
  | 'too_large'
  | 'unanswered_ping';

/**
 * One client: its byte stream in, answers out in request order. Requests overlap (their shards keep their order),
 * save those whose handler is `exclusive`: these run alone, as if the client had waited.
 */
export class Connection {
  readonly id: number;
  readonly socket: ClientSocket;
  /** Records that shards may read for it. */
  readonly credit: ConnectionCredit;
  /** Undefined where nobody has to log in. */
  readonly login: Login | undefined;
  /** What it may; undefined: all. */
  access: Access | undefined;
  /** What its client says it is (KIP-511). */
  software: { name: string; version: string } | undefined;
  #principal: string;
  readonly #gateway: Gateway;
  readonly #frames: FrameReader;
  /** Being worked on or waiting for an earlier answer, in request order. */
  #calls: Call[] = [];
  /** Whole messages that have not started. */
  #backlog: Uint8Array[] = [];
  #callBytes = 0;
  /** What the gateway knows of our unfinished message. */
  #heldBytes = 0;
  /** Records of answers that were handed to the socket while the client read too slowly. */
  #unreadBytes = 0;
  #parked: ParkedFetches | undefined;
  #paused = false;
  #slowReader = false;
  #dispatching = false;
  #closed = false;
  /** It may not stay: what it says is not heard. */
  #isTurnedAway = false;
  #mutedUntilMs: Millis = -Infinity;
  #unmute: (() => void) | undefined;
  lastActiveMs: number;

  constructor(id: number, socket: ClientSocket, gateway: Gateway) {
    this.id = id;
    this.socket = socket;
    this.credit = gateway.readCredit.open();
    this.#gateway = gateway;
    this.#frames = new FrameReader(gateway.limits.requestMaxBytes, socket.readsInPlace);
    this.lastActiveMs = gateway.clock.now();
    this.#principal = socket.principal ?? ANONYMOUS;
    if (socket.wantsLogin) this.login = newLogin(gateway);
    this.access = Access.of(gateway, this.#requester);
  }

  get #requester() {
    return { principal: this.#principal, host: this.ip };
  }

  /** Where its client is, as rules and quotas name it. */
  get ip(): string {
    return this.socket.clientHost.replace('/', '');
  }

  /** Somebody has logged in. */
  knows({ principal, scope }: Authenticated): void {
    this.#principal = principal;
    this.access = Access.of(this.#gateway, this.#requester, scope);
  }

  /** Its fetches that stay at shards while none of its requests waits for them; none were kept when undefined. */
  get parked(): ParkedFetches | undefined {
    return this.#parked;
  }

  /** @returns false when it is not kept. */
  keepParked(parked: ParkedFetch): boolean {
    this.#parked ??= new ParkedFetches(this.#gateway, this.id);
    return this.#parked.keep(parked);
  }

  /** The request that has the last word in a fetch session, while it has no answer. */
  runningIn(fetchSessionId: number): Call | undefined {
    return this.#calls.find((call) => !call.done && call.fetchSessionId === fetchSessionId);
  }

  /** Waits for the client: to ask, or to read what it asked for. */
  get idle(): boolean {
    return this.#slowReader || (this.#calls.length === 0 && this.#backlog.length === 0);
  }

  /** Has a request that is not just waiting for something to happen. */
  get isWorking(): boolean {
    return this.#calls.some((call) => !call.done && !call.handler.mayWait);
  }

  /** Closed after a while, so that it does not come again at once; never before its home knows it. */
  turnAway(reason: CloseReason, afterMs: Millis): void {
    this.#isTurnedAway = true;
    const { clock } = this.#gateway;
    this.#unmute = clock.at(clock.now() + afterMs, () => this.close(reason));
  }

  /** It has its place, and is heard after a while. */
  letIn(afterMs: Millis): void {
    this.#mutedUntilMs = -Infinity;
    if (afterMs > 0) this.mute(afterMs);
    else this.#dispatch();
  }

  /** Reads no more requests for so long, or as long as was said before (KIP-219). Infinity: until it is let in. */
  mute(forMs: Millis): void {
    const { clock } = this.#gateway;
    const untilMs = clock.now() + forMs;
    if (this.#closed || untilMs <= this.#mutedUntilMs) return;
    this.#mutedUntilMs = untilMs;
    this.#unmute?.();
    if (untilMs === Infinity) return;
    this.#unmute = clock.at(untilMs, () => {
      this.#unmute = undefined;
      this.#mutedUntilMs = -Infinity;
      this.#dispatch();
    });
  }

  get #isMuted(): boolean {
    return this.#mutedUntilMs !== -Infinity;
  }

  /** Bytes from the client. They are kept by reference: the host must not reuse them. */
  receive(chunk: Uint8Array): void {
    if (this.#closed || this.#isTurnedAway) return;
    this.lastActiveMs = this.#gateway.clock.now();
    this.#gateway.counters.bytesIn += chunk.length;
    try {
      this.#frames.push(chunk, (frame) => this.#backlog.push(frame));
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.close('not_kafka');
      return;
    }
    if (!this.#holdUnfinished(this.#frames.heldBytes)) this.close('memory');
    else if (this.#isTooLongForStranger) this.close('too_large');
    else this.#dispatch();
  }

  get unfinished(): Unfinished {
    return this.#frames;
  }

  /** The host keeps so many bytes that it cannot hand over yet: a WebSocket message whose end is still to come. */
  keptBack(bytes: number): void {
    if (this.#closed) return;
    this.lastActiveMs = this.#gateway.clock.now();
    if (!this.#holdUnfinished(this.#frames.heldBytes + bytes)) this.close('memory');
  }

  /** Whoever has not said who it is has not much to say (sasl.server.max.receive.size). */
  get #isTooLongForStranger(): boolean {
    return this.login !== undefined && this.#frames.heldBytes > this.login.requestMaxBytes;
  }

  #holdUnfinished(heldBytes: number): boolean {
    const grownBytes = heldBytes - this.#heldBytes;
    this.#heldBytes = heldBytes;
    return this.#gateway.holdUnfinished(grownBytes);
  }

  /** The client has read what was queued. */
  drained(): void {
    this.lastActiveMs = this.#gateway.clock.now();
    this.#slowReader = false;
    this.#read();
    this.#dispatch();
  }

  /** What was handed to the socket is with the client, or nobody's any more. */
  #read(): void {
    this.credit.hold(-this.#unreadBytes);
    this.#unreadBytes = 0;
  }

  /** The stream has ended, whoever ended it. Idempotent. */
  ended(): void {
    if (this.#closed && this.#calls.length === 0) return;
    this.#closed = true;
    this.#unmute?.();
    this.#holdUnfinished(0);
    const calls = this.#calls;
    this.#calls = [];
    this.#backlog = [];
    for (const call of calls) {
      this.#unreadBytes += call.answerBytes;
      call.abandon();
    }
    this.#parked?.dropAll();
    this.#read();
    this.#gateway.forget(this);
  }

  close(reason: CloseReason): void {
    if (this.#closed) return;
    this.#gateway.closing(this, reason);
    this.socket.close(reason);
    this.ended();
  }

  /** The answer of a call holds so much more, or less. */
  hold(deltaBytes: number): void {
    this.#callBytes += deltaBytes;
    this.credit.hold(deltaBytes);
  }

  /** A call has its answer: send all that are next in order. */
  answered(): void {
    while (this.#calls[0]?.done) {
      const call = this.#calls.shift() as Call;
      this.#callBytes -= call.sizeBytes + call.answerBytes;
      this.#unreadBytes += call.answerBytes;
      if (call.response !== undefined && !this.#closed) this.#send(call.response);
      if (!this.#slowReader) this.#read();
    }
    if (!this.#dispatching) this.#dispatch();
    this.#gateway.settled();
  }

  #send(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#gateway.counters.bytesOut += chunk.length;
    if (!this.socket.write(chunks)) this.#slowReader = true;
  }

  #dispatch(): void {
    this.#dispatching = true;
    let started = 0;
    while (started < this.#backlog.length && this.#mayStart(this.#backlog[started] as Uint8Array)) {
      this.#start(this.#backlog[started] as Uint8Array);
      if (this.#closed) return;
      started++;
    }
    if (started > 0) this.#backlog.splice(0, started);
    this.#dispatching = false;
    const full = this.#backlog.length > 0 || this.#slowReader || this.#isMuted;
    if (full !== this.#paused) {
      this.#paused = full;
      if (full) this.socket.pause();
      else this.socket.resume();
    }
  }

  #mayStart(next: Uint8Array): boolean {
    const { limits } = this.#gateway;
    if (this.#slowReader || this.#isMuted || this.#gateway.draining) return false;
    if (this.#calls.length >= limits.inFlightRequestsMax) return false;
    if (this.#calls.length === 0) return true;
    if (this.#callBytes > limits.inFlightBytesMax) return false;
    const handler = this.#gateway.handlerOf(next);
    if (handler?.readsRecords && this.credit.heldBytes > 0 && this.credit.freeBytes <= 0) return false;
    return !this.#calls[0]?.handler.exclusive && !handler?.exclusive;
  }

  #start(frame: Uint8Array): void {
    try {
      if (this.login?.wantsBareToken) return this.#startBareToken(frame);
      const header = decodeRequestHeader(frame);
      if (this.login?.mayAsk(header.apiKey) === false) return this.#refuseStranger(header, frame.length);
      const handler = this.#gateway.handler(header.apiKey);
      const served = handler !== undefined && serves(handler, header.apiVersion);
      if (handler === undefined || (!served && handler.handleUnsupported === undefined)) {
        this.close('unsupported');
        return;
      }
      const caller = this.#caller(header.clientId);
      const body = served ? decodeRequest(handler.api, header.apiVersion, frame, header.bodyAt) : undefined;
      const call = this.#take(handler, header, { caller, bytes: frame.length });
      if (!served) return handler.handleUnsupported?.(call);
      const { quotas } = this.#gateway;
      if (!quotas.isEmpty && quotas.timesRequests) call.work(() => this.#handle(call, body));
      else this.#handle(call, body);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.close('bad_request');
    }
  }

  #handle(call: Call, body: unknown): void {
    this.#gateway.audit?.watch(call, body);
    this.#gateway.spans?.begin(call, body);
    if (this.access !== undefined) handleGuarded(call, body, this.access);
    else call.handler.handle(call, body as never);
  }

  #take(handler: Handler, header: RequestHeader, { caller, bytes }: { caller: Caller; bytes: number }): Call {
    const call = new Call(this.#gateway, this, handler, header, caller, bytes);
    this.#calls.push(call);
    this.#callBytes += bytes;
    this.#gateway.counters.request(header.apiKey);
    return call;
  }

  /** Told ILLEGAL_SASL_STATE where the answer can say it, and closed; a session that has expired is just closed. */
  #refuseStranger(header: RequestHeader, bytes: number): void {
    const { apiKey, apiVersion } = header;
    const handler = this.#gateway.handler(apiKey);
    const isExpired = this.login?.known !== undefined && !this.login.isUnderWay;
    const isRead =
      handler !== undefined && serves(handler, apiVersion) && saysErrors(handler.api, apiVersion);
    if (!isExpired && isRead) {
      const call = this.#take(handler, header, { caller: this.#caller(null), bytes });
      call.reply(emptyAnswer(handler.api, ErrorCode.ILLEGAL_SASL_STATE));
    }
    this.close(isExpired ? 'login_expired' : 'login_missing');
  }

  #caller(clientId: string | null): Caller {
    return {
      principal: this.#principal,
      clientId: clientId ?? '',
      clientHost: this.socket.clientHost,
    };
  }

  /** A token as it is, on behalf of the request that would hold it. */
  #startBareToken(token: Uint8Array): void {
    const header = { apiKey: saslAuthenticate.api.key, apiVersion: 0, correlationId: 0 };
    takeBareToken(
      this.#take(saslAuthenticate, header, { caller: this.#caller(null), bytes: token.length }),
      token,
    );
  }
}

function newLogin({ logins, clock }: Gateway): Login {
  invariant(logins !== undefined, 'a listener that wants logins has a gateway that takes them');
  return new Login(logins, clock);
}
