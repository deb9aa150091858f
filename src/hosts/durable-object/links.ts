import type { Offset } from '../../model/ids.ts';
import type { Address } from '../../model/machine.ts';
import type { ShardReply, ShardRequest } from '../../ports/shard-link.ts';
import { decodeFrame, frameChunks, type FromShard, type MetadataFrame, type RequestFrame } from './frames.ts';
import { Outbox } from './outbox.ts';

/** A WebSocket of a gateway that the object may sleep behind (`acceptWebSocket`). */
export interface ObjectSocket {
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  serializeAttachment(attachment: unknown): void;
  deserializeAttachment(): unknown;
}

/** What of a link outlives this instance of the object: 16 KB at most, the platform's limit. */
interface Attachment {
  number: number;
  /** Requests as they came, of fetches that stay until there is more. */
  parked: { correlationId: number; bytes: Uint8Array }[];
  /** Of the metadata shard: how much of the metadata log it was sent. */
  sentEnd: Offset;
  /** Something is parked that had no room here. */
  isLossy: boolean;
}

export interface Link {
  readonly number: number;
  readonly socket: ObjectSocket;
  readonly outbox: Outbox;
  sentEnd: Offset;
  /** Our ids of its requests without a last answer, by its own. */
  readonly ids: Map<number, number>;
}

/** Who waits for an answer. */
interface Waiting {
  link: Link | undefined;
  correlationId: number;
  /** The request as it came. */
  bytes: Uint8Array;
  isParked: boolean;
  /** An earlier instance has answered that it is parked. */
  isRestored: boolean;
  /** Another object asked. */
  answered?: (reply: ShardReply) => void;
  mayPark?: boolean;
}

const ATTACHMENT_MAX_BYTES = 12 * 1024;
const TRY_AGAIN_LATER = 1013;
const NO_BYTES = new Uint8Array(0);

/**
 * The gateways' links to one shard. Their requests get numbers of ours, since each gateway counts for itself. What is
 * parked lies in the socket's attachment, so that the object may sleep, and the next instance takes it up again.
 */
export class Links {
  readonly #bySocket = new Map<ObjectSocket, Link>();
  readonly #waiting = new Map<number, Waiting>();
  #lastNumber = 0;
  #lastId = 0;
  /** Without an answer yet, not even that they are parked. */
  unansweredCount = 0;

  /** @returns the requests that were parked when the object went to sleep: to be asked again. */
  restore(sockets: Iterable<ObjectSocket>, shard: string): ShardRequest[] {
    const requests: ShardRequest[] = [];
    for (const socket of sockets) {
      const attachment = socket.deserializeAttachment() as Attachment | null;
      if (attachment === null || attachment.isLossy) {
        socket.close(TRY_AGAIN_LATER, 'the object was restarted');
        continue;
      }
      const { number, parked, sentEnd } = attachment;
      const link = this.#add(number, socket, sentEnd);
      this.#lastNumber = Math.max(this.#lastNumber, number);
      for (const { bytes } of parked) {
        const frame = decodeFrame<RequestFrame>(bytes);
        const from = this.#expect(link, { correlationId: frame.correlationId, bytes, isRestored: true });
        requests.push({ ...requestOf(frame, shard, from), isResumed: true });
      }
    }
    return requests;
  }

  open(socket: ObjectSocket, sentEnd: Offset): Link {
    const link = this.#add(++this.#lastNumber, socket, sentEnd);
    this.#attach(link);
    return link;
  }

  #add(number: number, socket: ObjectSocket, sentEnd: Offset): Link {
    const outbox = new Outbox((message) => socket.send(message));
    const link: Link = { number, socket, outbox, sentEnd, ids: new Map() };
    this.#bySocket.set(socket, link);
    return link;
  }

  of(socket: ObjectSocket): Link | undefined {
    return this.#bySocket.get(socket);
  }

  all(): Iterable<Link> {
    return this.#bySocket.values();
  }

  /** @returns the addresses nobody waits at any more. */
  closed(socket: ObjectSocket): Address[] {
    const link = this.#bySocket.get(socket);
    if (link === undefined) return [];
    this.#bySocket.delete(socket);
    link.outbox.clear();
    const ids = [...link.ids.values()];
    for (const id of ids) this.#forget(id);
    // One more, of no request: a machine forgets by the link.
    return [...ids, -1].map((correlationId) => ({ link: link.number, correlationId }));
  }

  /** A gateway's request as its shard is to see it. */
  request(link: Link, frame: RequestFrame, { shard, bytes }: { shard: string; bytes: Uint8Array }) {
    const { correlationId } = frame;
    return requestOf(frame, shard, this.#expect(link, { correlationId, bytes, isRestored: false }));
  }

  /** Where the answer to another object's question is to go. @param parks whether it may take for ever, asleep. */
  expectAnswer(answered: (reply: ShardReply) => void, { parks = false } = {}): Address {
    const id = ++this.#lastId;
    const waiting = { link: undefined, correlationId: 0, bytes: NO_BYTES, isParked: false, answered };
    this.#waiting.set(id, { ...waiting, isRestored: false, mayPark: parks });
    this.unansweredCount++;
    return { link: 0, correlationId: id };
  }

  /** A gateway wants no answer to that request any more. */
  cancel(link: Link, correlationId: number): Address | undefined {
    const id = link.ids.get(correlationId);
    if (id === undefined) return undefined;
    const wasParked = this.#waiting.get(id)?.isParked;
    this.#forget(id);
    if (wasParked) this.#attach(link);
    return { link: link.number, correlationId: id };
  }

  /** Nobody wants the answer that was expected there any more. */
  forget({ correlationId }: Address): void {
    this.#forget(correlationId);
  }

  get size(): number {
    return this.#bySocket.size;
  }

  /** Sends an answer to where it was asked. @param relays see `ReplyFrame`. */
  reply(reply: ShardReply, relays?: number): void {
    const id = reply.to.correlationId;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    const { link, correlationId, answered } = waiting;
    if (answered !== undefined || link === undefined) {
      if (reply.parked && waiting.mayPark) return this.#isParked(waiting);
      this.#forget(id);
      return answered?.(reply);
    }
    if (reply.parked && !this.#park(link, waiting, reply)) return;
    if (!reply.parked) {
      this.#forget(id);
      if (waiting.isParked) this.#attach(link);
    }
    const { body, errorCode, parked, lease } = reply;
    this.#send(link, { type: 'reply', correlationId, body, errorCode, parked, lease, relays });
  }

  sendMetadata(link: Link, frame: MetadataFrame): void {
    this.#send(link, frame);
    link.sentEnd = frame.end;
    this.#attach(link);
  }

  #send(link: Link, frame: FromShard): void {
    link.outbox.add(frameChunks(frame));
  }

  closeAll(code: number, reason: string): void {
    for (const { socket, outbox } of this.#bySocket.values()) {
      outbox.flush();
      socket.close(code, reason);
    }
  }

  #isParked(waiting: Waiting): void {
    if (!waiting.isParked) this.unansweredCount--;
    waiting.isParked = true;
  }

  /** @returns whether the gateway is to hear of it: not again what an earlier instance has said. */
  #park(link: Link, waiting: Waiting, { body }: ShardReply): boolean {
    const wasSaid = waiting.isRestored && body !== undefined;
    if (!waiting.isParked) {
      waiting.isParked = true;
      // It came in a message with others.
      waiting.bytes = waiting.bytes.slice();
      this.unansweredCount--;
      if (!waiting.isRestored) this.#attach(link);
    }
    waiting.isRestored = false;
    return !wasSaid;
  }

  #expect(
    link: Link,
    { correlationId, bytes, isRestored }: { correlationId: number; bytes: Uint8Array; isRestored: boolean },
  ): Address {
    const id = ++this.#lastId;
    link.ids.set(correlationId, id);
    this.#waiting.set(id, { link, correlationId, bytes, isParked: false, isRestored });
    this.unansweredCount++;
    return { link: link.number, correlationId: id };
  }

  #forget(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.link?.ids.delete(waiting.correlationId);
    if (!waiting.isParked) this.unansweredCount--;
  }

  #attach(link: Link): void {
    const { number, sentEnd, socket } = link;
    const parked: Attachment['parked'] = [];
    let sizeBytes = 0;
    for (const id of link.ids.values()) {
      const waiting = this.#waiting.get(id);
      if (!waiting?.isParked) continue;
      sizeBytes += waiting.bytes.length;
      parked.push({ correlationId: waiting.correlationId, bytes: waiting.bytes });
    }
    const isLossy = sizeBytes > ATTACHMENT_MAX_BYTES;
    socket.serializeAttachment({ number, sentEnd, isLossy, parked: isLossy ? [] : parked });
  }
}

function requestOf(frame: RequestFrame, shard: string, from: Address): ShardRequest {
  const { caller, apiKey, apiVersion, body, credit, leaseUntilMs } = frame;
  return { shard, from, caller, apiKey, apiVersion, body, credit, leaseUntilMs };
}
