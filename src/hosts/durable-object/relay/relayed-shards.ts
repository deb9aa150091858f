import type { FetchedPartition } from '../../../wire/fetched.ts';
import { ErrorCode } from '../../../model/errors.ts';
import type { Address } from '../../../model/machine.ts';
import type { Random } from '../../../ports/random.ts';
import type { ShardId, ShardLink, ShardReply, ShardRequest } from '../../../ports/shard-link.ts';
import { fetchedIn, fetchReply, wantedIn } from '../../../shard/fetch-of-one.ts';
import { type FetchRequest, fetchApi } from '../../../wire/apis/01-fetch.ts';
import type { OpenLink, RemoteReply } from '../remote-shards.ts';
import { Feed } from './feed.ts';
import type { FromRelay } from './frames.ts';
import { relayName } from './names.ts';
import { RelayLink } from './relay-link.ts';

export interface RelayedShardsParts {
  link: ShardLink;
  reply: (reply: ShardReply) => void;
  open: OpenLink;
  random: Random;
}

/** A partition that is read through a relay. */
interface Subscription {
  readonly shard: ShardId;
  readonly relay: RelayLink;
  /** Undefined while it is read at its leader. */
  feed: Feed | undefined;
  /** The relay sends what comes. */
  isOn: boolean;
  /** Its gateway knows that it is parked. */
  waiting: ShardRequest | undefined;
}

/**
 * Readers that wait at the end of a partition with many of them wait at one of its relays: its leader says so when a
 * fetch is parked. From then on what comes is sent here before it is asked for. Whoever is behind, too slow or somehow
 * out of step reads at the leader until there is nothing more; so no relay has to be believed.
 */
export class RelayedShards implements ShardLink {
  readonly #parts: RelayedShardsParts;
  /** Fetches at leaders without a last answer, by correlation id. */
  readonly #fetches = new Map<number, ShardRequest>();
  /** Of those, what is parked for its gateway already. */
  readonly #moved = new Set<number>();
  readonly #subscriptions = new Map<string, Subscription>();
  /** Links opened so far. */
  opened = 0;

  constructor(parts: RelayedShardsParts) {
    this.#parts = parts;
  }

  request(request: ShardRequest): void {
    if (request.apiKey !== fetchApi.key) return this.#parts.link.request(request);
    const subscription = this.#subscriptions.get(keyOf(request));
    if (subscription?.feed !== undefined && this.#read(subscription, subscription.feed, request)) return;
    this.#ask(request);
  }

  cancel(shard: ShardId, from: Address): void {
    const { correlationId } = from;
    this.#moved.delete(correlationId);
    if (this.#fetches.delete(correlationId)) return this.#parts.link.cancel(shard, from);
    for (const subscription of this.#subscriptions.values())
      if (subscription.waiting?.from.correlationId === correlationId) {
        subscription.waiting = undefined;
        return;
      }
    this.#parts.link.cancel(shard, from);
  }

  /** An answer of a leader. */
  receive(reply: RemoteReply): void {
    const { relays = 0 } = reply;
    const { correlationId } = reply.to;
    const request = this.#fetches.get(correlationId);
    if (request === undefined) return this.#parts.reply(reply);
    if (!reply.parked) this.#forget(correlationId);
    const mayMove = relays > 0 && reply.parked === true && reply.body !== undefined && isPlain(request);
    const isKnown = reply.parked === true && this.#moved.has(correlationId);
    if (mayMove) this.#subscribe(request, reply, relays);
    if (!isKnown) this.#parts.reply(reply);
  }

  close(): void {
    for (const { relay } of this.#subscriptions.values()) relay.close();
    this.#subscriptions.clear();
  }

  #ask(request: ShardRequest): void {
    this.#fetches.set(request.from.correlationId, request);
    this.#parts.link.request(request);
  }

  #forget(correlationId: number): void {
    this.#fetches.delete(correlationId);
    this.#moved.delete(correlationId);
  }

  /** The fetch is parked at its leader, who has nothing for it: it moves to a relay. */
  #subscribe(request: ShardRequest, reply: ShardReply, relays: number): void {
    const wanted = wantedIn(request);
    const told = fetchedIn(reply);
    if (wanted === undefined || told === undefined || (told.records?.length ?? 0) > 0) return;
    const subscription = this.#subscription(request, relays);
    if (subscription.waiting !== undefined) return;
    this.#forget(request.from.correlationId);
    this.#parts.link.cancel(request.shard, request.from);
    subscription.feed = new Feed(wanted.fetchOffset, told);
    subscription.isOn = true;
    subscription.waiting = request;
    subscription.relay.send({ type: 'subscribe', from: wanted.fetchOffset });
  }

  #subscription(request: ShardRequest, relays: number): Subscription {
    const key = keyOf(request);
    const known = this.#subscriptions.get(key);
    if (known !== undefined) return known;
    const { random, open } = this.#parts;
    const name = relayName(request.shard, isolationOf(request), Math.floor(random.next() * relays));
    const relay = new RelayLink(open, name, {
      received: (frame) => this.#received(subscription, frame),
      closed: () => {
        this.#subscriptions.delete(key);
        this.#leave(subscription);
      },
    });
    const subscription: Subscription = {
      shard: request.shard,
      relay,
      feed: undefined,
      isOn: false,
      waiting: undefined,
    };
    this.opened++;
    this.#subscriptions.set(key, subscription);
    return subscription;
  }

  /** @returns whether it is answered, or waits; else its leader is asked. */
  #read(subscription: Subscription, feed: Feed, request: ShardRequest): boolean {
    const wanted = wantedIn(request);
    if (wanted === undefined || !isPlain(request) || subscription.waiting !== undefined) return false;
    const maxBytes = request.credit ?? wanted.partitionMaxBytes;
    const partition = feed.read(wanted.fetchOffset, maxBytes);
    if (partition === undefined) {
      this.#leave(subscription);
      return false;
    }
    const isEmpty = (partition.records?.length ?? 0) === 0;
    if (isEmpty && !subscription.isOn) return false;
    const mayWait = isEmpty && maxBytes > 0 && (request.body as FetchRequest).maxWaitMs > 0;
    if (mayWait) subscription.waiting = request;
    this.#reply(request, partition, mayWait);
    return true;
  }

  #received(subscription: Subscription, frame: FromRelay): void {
    const { feed, waiting } = subscription;
    if (feed === undefined || !subscription.isOn) return;
    if (frame.type === 'elsewhere' || !feed.add(frame)) return this.#leave(subscription);
    if (waiting === undefined) {
      if (feed.isFull) this.#stop(subscription);
      return;
    }
    subscription.waiting = undefined;
    const wanted = wantedIn(waiting);
    const maxBytes = waiting.credit ?? wanted?.partitionMaxBytes ?? 0;
    const partition = feed.read(wanted?.fetchOffset ?? 0, maxBytes);
    if (partition !== undefined) this.#reply(waiting, partition, false);
  }

  /** What was sent is read, and then its leader is asked. */
  #stop(subscription: Subscription): void {
    if (subscription.isOn) subscription.relay.send({ type: 'unsubscribe' });
    subscription.isOn = false;
  }

  /** The leader is asked, in the place of whoever waits too. */
  #leave(subscription: Subscription): void {
    const { waiting } = subscription;
    this.#stop(subscription);
    subscription.feed = undefined;
    subscription.waiting = undefined;
    if (waiting === undefined) return;
    this.#moved.add(waiting.from.correlationId);
    this.#ask(waiting);
  }

  #reply(request: ShardRequest, partition: FetchedPartition, parked: boolean): void {
    const partitionIndex = wantedIn(request)?.partition ?? 0;
    const reply = fetchReply(request, { ...partition, partitionIndex, errorCode: ErrorCode.NONE });
    this.#parts.reply(parked ? { ...reply, parked } : reply);
  }
}

function keyOf(request: ShardRequest): string {
  return relayName(request.shard, isolationOf(request), 0);
}

function isolationOf({ body }: ShardRequest): number {
  return (body as FetchRequest).isolationLevel;
}

/** One record is enough for it. */
function isPlain({ body }: ShardRequest): boolean {
  return (body as FetchRequest).minBytes <= 1;
}
