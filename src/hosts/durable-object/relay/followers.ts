import { invariant } from '../../../model/assert.ts';
import { ErrorCode } from '../../../model/errors.ts';
import type { Offset } from '../../../model/ids.ts';
import type { Address } from '../../../model/machine.ts';
import type { Clock } from '../../../ports/clock.ts';
import {
  partitionOfShard,
  type ShardId,
  type ShardReply,
  type ShardRequest,
} from '../../../ports/shard-link.ts';
import { fetchedIn } from '../../../shard/fetch-of-one.ts';
import { type FetchRequest, fetchApi } from '../../../wire/apis/01-fetch.ts';
import { emptyFetched } from '../../../wire/fetched.ts';
import type { Links } from '../links.ts';
import type { ObjectState } from '../object-state.ts';
import type { NextFetch, Pushed } from './frames.ts';
import { relayed } from './names.ts';

export interface FollowersParts {
  shard: ShardId;
  links: Links;
  state: ObjectState;
  clock: Clock;
  request: (request: ShardRequest) => void;
  cancel: (from: Address) => void;
  /** Hands something to a relay, or asks it what it wants. @throws when it cannot be reached. */
  push: (relay: string, pushed: Pushed | undefined) => Promise<NextFetch | undefined>;
}

interface Follower {
  relay: string;
  /** Of the fetch that is parked, if one is. */
  asked: Address | undefined;
  failures: number;
}

const CALLER = { principal: 'User:ANONYMOUS', clientId: 'relay', clientHost: '' };
const FETCH_VERSION = 17;
const FOR_EVER_MS = 0x7fff_ffff;
const PUSH_MAX_BYTES = 256 * 1024;
const AGAIN_MIN_MS = 1_000;
const AGAIN_MAX_MS = 5 * 60_000;

/**
 * The relays of a partition, at its leader. Each has a fetch here that stays until there is more; what it brings is
 * handed over by a call, whose answer is the next fetch: a flush is one call a relay, and while one is under way the
 * next flushes wait together. Who they are is written down, what they want they know themselves.
 */
export class Followers {
  readonly #parts: FollowersParts;
  readonly #all = new Map<string, Follower>();

  constructor(parts: FollowersParts) {
    this.#parts = parts;
  }

  /** An earlier instance has left them. */
  start(): void {
    for (const relay of this.#parts.state.relays) void this.#push(this.#add(relay), undefined);
  }

  follow(relay: string, { from }: NextFetch): void {
    this.#parts.state.addRelay(relay);
    this.#ask(this.#add(relay), from);
  }

  #add(relay: string): Follower {
    const before = this.#all.get(relay);
    if (before?.asked !== undefined) this.#parts.cancel(before.asked);
    const follower = { relay, asked: undefined, failures: 0 };
    this.#all.set(relay, follower);
    return follower;
  }

  /** The topic is deleted. */
  async dropped(): Promise<void> {
    const all = [...this.#all.values()];
    this.#all.clear();
    const pushed = { from: 0, partition: emptyFetched(0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) };
    await Promise.allSettled(all.map(({ relay }) => this.#parts.push(relay, pushed)));
  }

  #ask(follower: Follower, from: Offset): void {
    const { shard, links, request } = this.#parts;
    const asked = links.expectAnswer((reply) => this.#answered(follower, from, reply), { parks: true });
    follower.asked = asked;
    const { isolationLevel = 0 } = relayed(follower.relay) ?? {};
    const body = fetchAt(shard, from, isolationLevel);
    const about = { shard, from: asked, caller: CALLER, apiKey: fetchApi.key, apiVersion: FETCH_VERSION };
    request({ ...about, body, credit: PUSH_MAX_BYTES });
  }

  #answered(follower: Follower, from: Offset, reply: ShardReply): void {
    follower.asked = undefined;
    const { errorCode = ErrorCode.UNKNOWN_SERVER_ERROR } = reply;
    const partition = fetchedIn(reply) ?? emptyFetched(0, errorCode);
    void this.#push(follower, { from, partition });
  }

  async #push(follower: Follower, pushed: Pushed | undefined): Promise<void> {
    const { push, state } = this.#parts;
    const { relay } = follower;
    try {
      const next = await push(relay, pushed);
      // It has come again meanwhile.
      if (this.#all.get(relay) !== follower) return;
      follower.failures = 0;
      if (next !== undefined) return this.#ask(follower, next.from);
      this.#all.delete(relay);
      state.removeRelay(relay);
    } catch {
      this.#failed(follower);
    }
  }

  /** It is asked what it wants, later: what was handed over may have arrived. */
  #failed(follower: Follower): void {
    const { clock } = this.#parts;
    const delayMs = Math.min(AGAIN_MAX_MS, AGAIN_MIN_MS * 2 ** follower.failures++);
    clock.at(clock.now() + delayMs, () => {
      if (this.#all.get(follower.relay) === follower) void this.#push(follower, undefined);
    });
  }
}

function fetchAt(shard: ShardId, fetchOffset: Offset, isolationLevel: number) {
  const of = partitionOfShard(shard);
  invariant(of, 'relays are of partitions alone');
  const { topicId, partition } = of;
  const nobody = { currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1 };
  const limits = { maxWaitMs: FOR_EVER_MS, minBytes: 1, maxBytes: PUSH_MAX_BYTES, isolationLevel };
  const wanted = { ...nobody, partition, fetchOffset, partitionMaxBytes: PUSH_MAX_BYTES };
  return { ...limits, topics: [{ topic: '', topicId, partitions: [wanted] }] } as unknown as FetchRequest;
}
