import { ErrorCode } from '../../model/errors.ts';
import type { Address } from '../../model/machine.ts';
import {
  METADATA_SHARD,
  type ShardId,
  type ShardLink,
  type ShardReply,
  type ShardRequest,
} from '../../ports/shard-link.ts';
import { HEADER_SIZE } from '../../records/header.ts';
import { type ProduceRequest, produceApi } from '../../wire/apis/00-produce.ts';
import {
  decodeFrames,
  frameChunks,
  type FromShard,
  type MetadataFrame,
  type ReplyFrame,
  type ToShard,
} from './frames.ts';
import { Outbox } from './outbox.ts';
import type { Placement } from './placement.ts';

/** A WebSocket to an object, once it is open. */
export interface LinkSocket {
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface LinkEvents {
  received(bytes: Uint8Array): void;
  /** Once, whoever ended it. */
  closed(): void;
}

/** What a link says of itself when it opens: what the gateway knows of that shard. */
export interface LinkGreeting {
  /** `shardPrint`. */
  print: string;
  /** Of the metadata shard: how much of the metadata log the gateway has. */
  from: number;
  /** Not said, but where its object is. */
  placement: Placement;
}

/** @throws when the object cannot be reached. */
export type OpenLink = (shard: ShardId, greeting: LinkGreeting, events: LinkEvents) => Promise<LinkSocket>;

/** A shard's answer. @see ReplyFrame for `relays` */
export type RemoteReply = ShardReply & Pick<ReplyFrame, 'relays'>;

export interface RemoteShardsParts {
  open: OpenLink;
  /** What the gateway knows of a shard. */
  greeting: (shard: ShardId) => LinkGreeting;
  reply: (reply: RemoteReply) => void;
  onMetadata: (frame: MetadataFrame) => void;
  /** A link ended. */
  onClosed?: (shard: ShardId) => void;
  /** Requests of one turn go in one message; true unless given. */
  joins?: boolean | undefined;
}

/** Records that one answer may bring: a message of a WebSocket has 32 MiB. */
const CREDIT_MAX_BYTES = 8 * 1024 * 1024;
/** Batches that a shard is told of, by the next link: more are not in flight. */
const REFUSED_MAX = 64;
const MESSAGE_MAX_BYTES = 31 * 1024 * 1024;

/**
 * The way of one client's gateway to shards that are objects: a link to each that is asked for anything, opened then.
 * What a link that ends leaves unanswered is answered with an error that clients try again after.
 */
export class RemoteShards implements ShardLink {
  readonly #parts: RemoteShardsParts;
  readonly #links = new Map<ShardId, Link>();
  /** By shard: headers of batches that its last link had not answered when it ended. */
  readonly #refused = new Map<ShardId, readonly Uint8Array[]>();
  /** Links opened so far: each was one request of the platform's, which counts them. */
  opened = 0;

  constructor(parts: RemoteShardsParts) {
    this.#parts = parts;
  }

  request(request: ShardRequest): void {
    this.open(request.shard).request(request);
  }

  cancel(shard: ShardId, { correlationId }: Address): void {
    this.#links.get(shard)?.cancel(correlationId);
  }

  /** Opens the link to a shard unless there is one. */
  open(shard: ShardId): Link {
    const known = this.#links.get(shard);
    if (known !== undefined) return known;
    const link = new Link(shard, this.#parts, (refused) => {
      if (this.#links.get(shard) === link) this.#links.delete(shard);
      if (refused.length > 0) this.#refused.set(shard, refused);
      this.#parts.onClosed?.(shard);
    });
    this.#links.set(shard, link);
    this.opened++;
    link.open(this.#refused.get(shard) ?? []);
    this.#refused.delete(shard);
    return link;
  }

  /** Metadata has changed: tells the shards that it is about. */
  tellMetadata(): void {
    for (const link of this.#links.values()) link.tell();
  }

  close(): void {
    const links = [...this.#links.values()];
    this.#links.clear();
    for (const link of links) link.close();
  }
}

interface Unanswered {
  /** Its gateway's address. */
  to: Address;
  /** Of a batch that is to be written. */
  header: Uint8Array | undefined;
}

class Link {
  readonly #shard: ShardId;
  readonly #parts: RemoteShardsParts;
  readonly #ended: (refused: readonly Uint8Array[]) => void;
  #socket: LinkSocket | undefined;
  /** Until it is open. */
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  readonly #outbox: Outbox;
  /** Asked, and without a last answer: with their gateway's address. */
  readonly #unanswered = new Map<number, Unanswered>();
  #told = '';
  #refused: readonly Uint8Array[] = [];
  #isOver = false;

  constructor(shard: ShardId, parts: RemoteShardsParts, ended: (refused: readonly Uint8Array[]) => void) {
    this.#shard = shard;
    this.#parts = parts;
    this.#outbox = new Outbox((message) => this.#sendMessage(message), parts.joins);
    this.#ended = ended;
  }

  /** @param refused batches: whoever sends them again is to find that none has overtaken them. */
  open(refused: readonly Uint8Array[]): void {
    this.#refused = refused;
    if (refused.length > 0) this.#sendFrame({ type: 'refused', headers: refused });
    const greeting = this.#parts.greeting(this.#shard);
    this.#told = greeting.print;
    const events = { received: (bytes: Uint8Array) => this.#receive(bytes), closed: () => this.#end() };
    this.#parts.open(this.#shard, greeting, events).then(
      (socket) => this.#opened(socket),
      () => this.#end(),
    );
  }

  #opened(socket: LinkSocket): void {
    if (this.#isOver) return socket.close();
    this.#socket = socket;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const bytes of waiting) socket.send(bytes);
    this.tell();
  }

  request({ from, caller, apiKey, apiVersion, body, credit, leaseUntilMs }: ShardRequest): void {
    const { correlationId } = from;
    const bounded = credit === undefined ? credit : Math.min(credit, CREDIT_MAX_BYTES);
    const frame = { type: 'request' as const, correlationId, caller, apiKey, apiVersion, body };
    const chunks = frameChunks({ ...frame, credit: bounded, leaseUntilMs });
    const sizeBytes = chunks.reduce((sum, { length }) => sum + length, 0);
    if (this.#isOver || sizeBytes > MESSAGE_MAX_BYTES) {
      const errorCode = this.#isOver ? errorOf(this.#shard) : ErrorCode.MESSAGE_TOO_LARGE;
      return this.#parts.reply({ to: from, body: undefined, errorCode });
    }
    const header = apiKey === produceApi.key ? headerOf(body as ProduceRequest) : undefined;
    this.#unanswered.set(correlationId, { to: from, header });
    this.#outbox.add(chunks);
  }

  cancel(correlationId: number): void {
    if (this.#unanswered.delete(correlationId)) this.#sendFrame({ type: 'cancel', correlationId });
  }

  /** What the gateway knows of the shard, where that has changed. */
  tell(): void {
    if (this.#shard === METADATA_SHARD || this.#socket === undefined) return;
    const { print } = this.#parts.greeting(this.#shard);
    if (print === this.#told) return;
    this.#told = print;
    this.#sendFrame({ type: 'metadata', print });
  }

  close(): void {
    this.#unanswered.clear();
    this.#outbox.flush();
    this.#isOver = true;
    this.#socket?.close();
  }

  #sendFrame(frame: ToShard): void {
    this.#outbox.add(frameChunks(frame));
  }

  #sendMessage(message: Uint8Array<ArrayBuffer>): void {
    if (this.#isOver) return;
    if (this.#socket === undefined) this.#waiting.push(message);
    else this.#socket.send(message);
  }

  #receive(message: Uint8Array): void {
    for (const { frame } of decodeFrames<FromShard>(message)) {
      if (this.#isOver) return;
      if (frame.type === 'metadata') this.#parts.onMetadata(frame);
      else this.#answer(frame);
    }
  }

  #answer({ correlationId, body, errorCode, parked, lease, relays }: ReplyFrame): void {
    const to = this.#unanswered.get(correlationId)?.to;
    if (to === undefined) return;
    if (!parked) this.#unanswered.delete(correlationId);
    this.#parts.reply({
      to,
      body,
      ...(errorCode !== undefined && { errorCode }),
      ...(parked !== undefined && { parked }),
      ...(lease !== undefined && { lease }),
      ...(relays !== undefined && { relays }),
    });
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const unanswered = [...this.#unanswered.values()];
    const refused = unanswered.flatMap(({ header }) => (header === undefined ? [] : [header]));
    this.#ended([...this.#refused, ...refused].slice(-REFUSED_MAX));
    const errorCode = errorOf(this.#shard);
    for (const { to } of unanswered) this.#parts.reply({ to, body: undefined, errorCode });
    this.#unanswered.clear();
  }
}

/** What clients try again after: of a partition that its leader is another, of a coordinator that it is loading. */
function errorOf(shard: ShardId): number {
  return shard.startsWith('d/') ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.KAFKA_STORAGE_ERROR;
}

function headerOf({ topicData }: ProduceRequest): Uint8Array | undefined {
  return topicData[0]?.partitionData[0]?.records?.slice(0, HEADER_SIZE);
}
