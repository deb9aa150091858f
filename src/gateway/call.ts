import { invariant } from '../model/assert.ts';
import type { Millis } from '../model/ids.ts';
import type { Address, Caller } from '../model/machine.ts';
import type { ShardId, ShardReply, ShardRequest } from '../ports/shard-link.ts';
import { WireError } from '../wire/error.ts';
import { encodeResponse } from '../wire/frame.ts';
import { Asks } from './asks.ts';
import type { CloseReason, Connection } from './connection.ts';
import type { Gateway } from './gateway.ts';
import type { Handler } from './handler.ts';
import type { RequestSpan } from './tracing/request-spans.ts';
import { countRest, throttleOf } from './throttle.ts';

export interface RequestHeader {
  apiKey: number;
  apiVersion: number;
  correlationId: number;
}

/** One request on its way: asks shards, may wait, answers once. */
export class Call {
  readonly handler: Handler;
  readonly header: RequestHeader;
  readonly caller: Caller;
  readonly connection: Connection;
  readonly gateway: Gateway;
  /** Size of the request message. */
  readonly sizeBytes: number;
  /** Records of the answer, those included that are being read. */
  answerBytes = 0;
  /** Of a Fetch that goes on with a session. */
  fetchSessionId = 0;
  readonly #startedAtMs: Millis;
  /** Has its answer, or will have none. */
  done = false;
  /** The encoded answer; undefined when there is none to send. */
  response: Uint8Array[] | undefined;
  readonly #asked = new Asks();
  #cancelTimer: (() => void) | undefined;
  #behind: (() => void)[] | undefined;
  #amend: ((body: never) => unknown) | undefined;
  /** What its handler says that its client has to wait. */
  throttleMs: Millis = 0;
  /** Where somebody traces it. */
  span: RequestSpan | undefined;
  /** Told what the client is told. */
  onAnswer: ((answer: unknown) => void) | undefined;
  #workMs = 0;
  /** Since when it is being worked on, while somebody times it. */
  #workingSinceMs: number | undefined;

  constructor(
    gateway: Gateway,
    connection: Connection,
    handler: Handler,
    header: RequestHeader,
    caller: Caller,
    sizeBytes: number,
  ) {
    this.gateway = gateway;
    this.connection = connection;
    this.handler = handler;
    this.header = header;
    this.caller = caller;
    this.sizeBytes = sizeBytes;
    this.#startedAtMs = gateway.clock.now();
  }

  get version(): number {
    return this.header.apiVersion;
  }

  /**
   * Sends one shard its part. `onReply` is called for each reply (several for a fetch that parked) until done.
   * @returns by what it can be cancelled.
   */
  ask(
    shard: ShardId,
    body: unknown,
    onReply: (reply: ShardReply) => void,
    more?: Pick<ShardRequest, 'credit' | 'leaseUntilMs'>,
  ): number {
    const { caller, header } = this;
    const { apiKey, apiVersion } = header;
    const told = this.span === undefined ? onReply : this.span.around(body, onReply);
    const from = this.#expect(shard, told);
    const request = { shard, from, caller, apiKey, apiVersion, body };
    this.gateway.link.request(more === undefined ? request : { ...request, ...more });
    return from.correlationId;
  }

  /** As {@link ask}, with another API than the client's: what the gateway needs on its own account. */
  askAs(
    apiKey: number,
    apiVersion: number,
    shard: ShardId,
    body: unknown,
    onReply: (reply: ShardReply) => void,
  ): void {
    const from = this.#expect(shard, onReply);
    this.gateway.link.request({ shard, from, caller: this.caller, apiKey, apiVersion, body });
  }

  #expect(shard: ShardId, onReply: (reply: ShardReply) => void): Address {
    const correlationId = this.gateway.expect(onReply);
    this.#asked.add(correlationId, shard);
    return { link: this.connection.id, correlationId };
  }

  /** Takes on an answer that is still to come, to something asked before. */
  expectAgain(shard: ShardId, ask: number, onReply: (reply: ShardReply) => void): void {
    this.#asked.add(ask, shard);
    this.gateway.expectAgain(ask, onReply);
  }

  /** Somebody else waits for that answer from now on. */
  handOver(ask: number): void {
    this.#asked.delete(ask);
  }

  /** Does not want that answer any more. */
  cancel(shard: ShardId, ask: number): void {
    this.#asked.delete(ask);
    if (this.gateway.unexpect(ask)) {
      this.gateway.link.cancel(shard, { link: this.connection.id, correlationId: ask });
    }
  }

  /** Calls back at `atMs` unless the call is done before. One timer a call. */
  wakeAt(atMs: number, callback: () => void): void {
    invariant(this.#cancelTimer === undefined, 'a call has one timer');
    if (!this.done) this.#cancelTimer = this.gateway.clock.at(atMs, callback);
  }

  /** Its answer holds so much more, or less: counted from before the bytes are read until the client has them. */
  hold(deltaBytes: number): void {
    if (this.done) return;
    this.answerBytes += deltaBytes;
    this.connection.hold(deltaBytes);
  }

  /** The answer will be what this makes of it: what was taken out of the request is refused there. Once a call. */
  amend(change: (body: never) => unknown): void {
    invariant(this.#amend === undefined, 'an answer is amended once');
    this.#amend = change;
  }

  reply(given: unknown, version = this.header.apiVersion): void {
    if (this.done) return;
    const { quotas } = this.gateway;
    const isTimed = !quotas.isEmpty && quotas.timesRequests && this.#workingSinceMs === undefined;
    if (isTimed) this.work(() => this.#answer(given, version));
    else this.#answer(given, version);
  }

  #answer(given: unknown, version: number): void {
    const amended = this.#amend === undefined ? given : this.#amend(given as never);
    const isFree = this.gateway.quotas.isEmpty && this.throttleMs === 0;
    const body = isFree ? amended : this.#throttled(amended);
    try {
      this.response = encodeResponse(this.handler.api, version, this.header.correlationId, body as never);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // What the client is told of its own request does not fit, such as a name that grew in the reading.
      return this.close('bad_request');
    }
    this.#finish(body);
  }

  /** An answer without a header: to a bare token. */
  replyBytes(chunks: Uint8Array[]): void {
    if (this.done) return;
    this.response = chunks;
    this.#finish(undefined);
  }

  /** Done without an answer: Produce with acks=0. */
  silent(): void {
    if (this.done) return;
    if (!this.gateway.quotas.isEmpty || this.throttleMs > 0) this.#throttled(undefined);
    this.#finish(undefined);
  }

  /** The client hears at once how long it has to wait, and is not heard so long (KIP-219). */
  #throttled(body: unknown): unknown {
    const throttleTimeMs = this.gateway.quotas.isEmpty ? this.throttleMs : throttleOf(this);
    if (throttleTimeMs === 0) return body;
    this.connection.mute(throttleTimeMs);
    return body === undefined ? body : { ...(body as object), throttleTimeMs };
  }

  get #preciseMs(): Millis {
    const { clock } = this.gateway;
    return clock.preciseMs?.() ?? clock.now();
  }

  /** Does some of the work for it, which is timed. */
  work(part: () => void): void {
    this.#workingSinceMs = this.#preciseMs;
    part();
    this.#workMs += this.#preciseMs - (this.#workingSinceMs ?? 0);
    this.#workingSinceMs = undefined;
    if (this.done) countRest(this);
  }

  /** What was worked for it since this was last asked. */
  takeWorkMs(): Millis {
    const nowMs = this.#preciseMs;
    const workedMs = this.#workMs + (this.#workingSinceMs === undefined ? 0 : nowMs - this.#workingSinceMs);
    this.#workMs = 0;
    if (this.#workingSinceMs !== undefined) this.#workingSinceMs = nowMs;
    return Math.max(0, workedMs);
  }

  close(reason: CloseReason): void {
    this.connection.close(reason);
  }

  /** Calls back once this call has its answer, in the order of asking; never when the client is gone before. */
  whenAnswered(callback: () => void): void {
    this.#behind ??= [];
    this.#behind.push(callback);
  }

  /** The client is gone. */
  abandon(): void {
    if (this.done) return;
    this.done = true;
    this.#release();
  }

  #finish(body: unknown): void {
    this.done = true;
    const { clock, counters } = this.gateway;
    counters.answered(this.handler.api, clock.now() - this.#startedAtMs, body);
    if (body !== undefined) this.onAnswer?.(body);
    this.span?.answered(body);
    this.#release();
    // Before the connection goes on to what came later.
    for (const callback of this.#behind ?? []) callback();
    this.connection.answered();
  }

  #release(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#asked.drain((ask, shard) => this.cancel(shard, ask));
  }
}
