import type { ShardId, ShardReply } from '../../ports/shard-link.ts';
import type { FetchRequest, FetchResponse } from '../../wire/apis/01-fetch.ts';
import type { Gateway } from '../gateway.ts';

type FetchPartition = FetchRequest['topics'][number]['partitions'][number];

/** What a shard was asked, as far as its answer depends on it. */
export interface Question {
  partition: FetchPartition;
  minBytes: number;
  isolationLevel: number;
}

/** A fetch that found too little and stays at its shard until there is more. */
export interface ParkedFetch {
  readonly shard: ShardId;
  /** The correlation id its last answer will have. */
  readonly ask: number;
  readonly question: Question;
  /** What there was when it parked. */
  readonly response: FetchResponse['responses'][number]['partitions'][number];
  /** Something has come since, too little to answer: `response` is no longer true. */
  isStale: boolean;
}

/**
 * Fetches of one connection that stay at their shards while none of its requests waits for them. The next request
 * that asks the same takes them up again, and the shard hears nothing of a client that comes and goes (ARCHITECTURE,
 * parked state). A shard's last answer comes too late here: it is dropped, and the next request asks anew.
 */
export class ParkedFetches {
  readonly #gateway: Gateway;
  readonly #link: number;
  readonly #byShard = new Map<ShardId, ParkedFetch>();

  constructor(gateway: Gateway, link: number) {
    this.#gateway = gateway;
    this.#link = link;
  }

  /** The one that answers this question, now the caller's; one that answers another is called off. */
  take(shard: ShardId, question: Question): ParkedFetch | undefined {
    const parked = this.#byShard.get(shard);
    if (parked === undefined) return undefined;
    if (!answers(parked.question, question)) {
      this.drop(shard);
      return undefined;
    }
    this.#remove(shard);
    return parked;
  }

  /** @returns false when it is not kept: it is the caller's to call it off. */
  keep(parked: ParkedFetch): boolean {
    const { shard, ask } = parked;
    if (parked.isStale || this.#byShard.has(shard)) return false;
    if (this.#gateway.parkedFetches >= this.#gateway.limits.parkedFetchesMax) return false;
    this.#byShard.set(shard, parked);
    this.#gateway.parkedFetches++;
    this.#gateway.expectAgain(ask, (reply) => this.#outdated(parked, reply));
    return true;
  }

  #outdated({ shard, ask }: ParkedFetch, { parked }: ShardReply): void {
    if (parked) this.drop(shard);
    else if (this.#byShard.get(shard)?.ask === ask) this.#remove(shard);
  }

  /** Calls off what is kept of one partition. */
  drop(shard: ShardId): void {
    const parked = this.#byShard.get(shard);
    if (parked === undefined) return;
    this.#remove(shard);
    if (!this.#gateway.unexpect(parked.ask)) return;
    this.#gateway.link.cancel(shard, { link: this.#link, correlationId: parked.ask });
  }

  /** Calls all of them off. */
  dropAll(): void {
    for (const shard of this.#byShard.keys()) this.drop(shard);
  }

  #remove(shard: ShardId): void {
    this.#byShard.delete(shard);
    this.#gateway.parkedFetches--;
  }
}

/** With more bytes to wait for it wakes too early, which is seen when it does; with fewer, too late. */
function answers(parked: Question, asked: Question): boolean {
  const [was, is] = [parked.partition, asked.partition];
  return (
    was.fetchOffset === is.fetchOffset &&
    was.currentLeaderEpoch === is.currentLeaderEpoch &&
    was.lastFetchedEpoch === is.lastFetchedEpoch &&
    was.partitionMaxBytes <= is.partitionMaxBytes &&
    parked.minBytes <= asked.minBytes &&
    parked.isolationLevel === asked.isolationLevel
  );
}
