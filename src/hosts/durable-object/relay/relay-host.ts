import { ErrorCode } from '../../../model/errors.ts';
import type { Millis, Offset } from '../../../model/ids.ts';
import { offsetAfter } from '../../../records/header.ts';
import { decodeFrames, encodeFrame } from '../frames.ts';
import type { ObjectSocket } from '../links.ts';
import { type ObjectTime, PLATFORM_TIME } from '../object-clock.ts';
import type { NextFetch, Pushed, ToRelay } from './frames.ts';
import { RelayTail } from './relay-tail.ts';

/** A gateway's WebSocket, and how much of what it was sent is still here. */
export type RelaySocket = ObjectSocket & { readonly bufferedAmount?: number };

export interface RelayHostParts {
  /** The leader is to hand over what follows. @returns whether it does. */
  follow: (next: NextFetch) => Promise<boolean>;
  /** Links that an earlier instance has accepted. */
  sockets: Iterable<RelaySocket>;
  time?: ObjectTime;
}

interface Subscriber {
  /** What it was sent ends there; undefined: it wants nothing. */
  at: Offset | undefined;
  /** What its attachment says. */
  savedAt: Offset | undefined;
  /** It has not taken what it was sent. */
  laggingSinceMs: Millis | undefined;
}

/** So many are sent to, then others have their turn: who writes must not wait until all have been. */
const SLICE = 50;
const SLICE_MS = 5;
/** What is handed over so close together comes in one piece. */
const HAND_OVER_MS = 50;
/** Once nothing has come for so long, sockets remember where they are. */
const SETTLE_MS = 2_000;
/** Who lags for so long reads at the leader. */
const LAGGING_MAX_MS = 10_000;
const ELSEWHERE = encodeFrame({ type: 'elsewhere' });

/**
 * One partition to many gateways (ARCHITECTURE, decision 85): what its leader hands over is encoded once for all who
 * stand at the same offset. It has no storage. Where each stands lies in its socket's attachment once it is quiet, so
 * that the object may sleep.
 */
export class RelayHost {
  readonly #parts: RelayHostParts;
  readonly #time: ObjectTime;
  readonly #subscribers = new Map<RelaySocket, Subscriber>();
  /** Not sent all there is yet, in the order of their turns. */
  readonly #behind = new Set<RelaySocket>();
  readonly #tail = new RelayTail();
  /** What comes next begins there; undefined: the leader hands over nothing. */
  #end: Offset | undefined;
  #isSending = false;
  #isSettling = false;
  #handedOverAtMs: Millis = -Infinity;

  constructor(parts: RelayHostParts) {
    this.#parts = parts;
    this.#time = parts.time ?? PLATFORM_TIME;
    for (const socket of parts.sockets) {
      const at = (socket.deserializeAttachment() as { at?: Offset } | null)?.at;
      this.#subscribers.set(socket, { at, savedAt: at, laggingSinceMs: undefined });
      if (at !== undefined) this.#end = Math.max(this.#end ?? 0, at);
    }
    this.#sendAll();
  }

  accept(socket: RelaySocket): void {
    this.#subscribers.set(socket, { at: undefined, savedAt: undefined, laggingSinceMs: undefined });
  }

  /** A message of a gateway. */
  received(socket: RelaySocket, bytes: Uint8Array): void {
    const subscriber = this.#subscribers.get(socket);
    if (subscriber === undefined) return;
    for (const { frame } of decodeFrames<ToRelay>(bytes)) {
      subscriber.at = frame.type === 'subscribe' ? frame.from : undefined;
      this.#save(socket, subscriber);
    }
    if (subscriber.at === undefined) return;
    if (this.#end === undefined) void this.#follow(subscriber.at);
    else if (subscriber.at < this.#end) this.#sendSoon(socket);
  }

  closed(socket: RelaySocket): void {
    this.#subscribers.delete(socket);
    this.#behind.delete(socket);
  }

  /**
   * The leader hands over what a fetch has brought, or asks what is wanted.
   * @returns what it is to fetch next, once there is room for it; undefined: nobody wants anything.
   */
  async push(pushed: Pushed | undefined): Promise<NextFetch | undefined> {
    if (pushed !== undefined && pushed.partition.errorCode !== ErrorCode.NONE) this.#sendAllElsewhere();
    if (!this.#isWanted) {
      this.#end = undefined;
      this.#tail.clear();
    } else if (pushed !== undefined && this.#take(pushed)) {
      await new Promise<void>((resolve) => this.#time.after(HAND_OVER_MS, resolve));
    }
    return this.#end === undefined ? undefined : { from: this.#end };
  }

  get #isWanted(): boolean {
    for (const { at } of this.#subscribers.values()) if (at !== undefined) return true;
    return false;
  }

  /** @returns whether that was news. */
  #take({ from, partition }: Pushed): boolean {
    const { records } = partition;
    const to = (records && offsetAfter(records)) ?? 0;
    if (this.#end === undefined || from > this.#end || to <= this.#end) return false;
    this.#tail.add({ type: 'records', from, to, partition });
    this.#end = to;
    this.#handedOverAtMs = this.#time.now();
    this.#sendAll();
    this.#settleLater();
    return true;
  }

  #sendAll(): void {
    const end = this.#end ?? 0;
    for (const [socket, { at = end }] of this.#subscribers) if (at < end) this.#behind.add(socket);
    this.#sendSlice();
  }

  #sendSoon(socket: RelaySocket): void {
    this.#behind.add(socket);
    this.#sendSlice();
  }

  #sendSlice(): void {
    if (this.#isSending || this.#behind.size === 0) return;
    let left = SLICE;
    for (const socket of this.#behind) {
      if (left-- === 0) break;
      this.#behind.delete(socket);
      this.#send(socket);
    }
    this.#isSending = true;
    this.#time.after(SLICE_MS, () => {
      this.#isSending = false;
      this.#sendSlice();
    });
  }

  /** All it has not had; who has not taken the last of that yet, at another turn. */
  #send(socket: RelaySocket): void {
    const subscriber = this.#subscribers.get(socket);
    if (subscriber?.at === undefined || subscriber.at >= (this.#end ?? 0)) return;
    const nowMs = this.#time.now();
    const isLagging = (socket.bufferedAmount ?? 0) > 0;
    subscriber.laggingSinceMs = isLagging ? (subscriber.laggingSinceMs ?? nowMs) : undefined;
    if (nowMs - (subscriber.laggingSinceMs ?? nowMs) >= LAGGING_MAX_MS)
      return this.#sendElsewhere(socket, subscriber);
    if (isLagging) {
      this.#behind.add(socket);
      return;
    }
    const message = this.#tail.messageFrom(subscriber.at);
    if (message === undefined) return this.#sendElsewhere(socket, subscriber);
    socket.send(message);
    subscriber.at = this.#end;
  }

  #sendElsewhere(socket: RelaySocket, subscriber: Subscriber): void {
    subscriber.at = undefined;
    this.#save(socket, subscriber);
    socket.send(ELSEWHERE);
  }

  #sendAllElsewhere(): void {
    for (const [socket, subscriber] of this.#subscribers)
      if (subscriber.at !== undefined) this.#sendElsewhere(socket, subscriber);
  }

  async #follow(from: Offset): Promise<void> {
    this.#end = from;
    const isFollowed = await this.#parts.follow({ from }).catch(() => false);
    if (isFollowed) return;
    this.#end = undefined;
    this.#sendAllElsewhere();
  }

  /** Where all stand has to outlive this instance once nothing keeps it awake. */
  #settleLater(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    this.#time.after(SETTLE_MS, () => {
      this.#isSettling = false;
      const isQuiet = this.#time.now() - this.#handedOverAtMs >= SETTLE_MS && this.#behind.size === 0;
      if (!isQuiet) return this.#settleLater();
      for (const [socket, subscriber] of this.#subscribers)
        if (subscriber.savedAt !== subscriber.at) this.#save(socket, subscriber);
    });
  }

  #save(socket: RelaySocket, subscriber: Subscriber): void {
    subscriber.savedAt = subscriber.at;
    socket.serializeAttachment({ at: subscriber.at });
  }
}
