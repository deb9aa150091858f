import type { ShardId } from '../ports/shard-link.ts';

/** What a call has asked which shard, by number. Most calls ask once: it has its place, and only more make a table. */
export class Asks {
  #first: number | undefined;
  #firstShard: ShardId | undefined;
  #more: Map<number, ShardId> | undefined;

  add(ask: number, shard: ShardId): void {
    this.delete(ask);
    if (this.#firstShard === undefined) {
      this.#first = ask;
      this.#firstShard = shard;
      return;
    }
    this.#more ??= new Map();
    this.#more.set(ask, shard);
  }

  delete(ask: number): void {
    if (this.#first === ask) this.#firstShard = this.#first = undefined;
    else this.#more?.delete(ask);
  }

  /** Takes each out and tells of it. */
  drain(each: (ask: number, shard: ShardId) => void): void {
    const [first, shard, more] = [this.#first, this.#firstShard, this.#more];
    this.#first = this.#firstShard = this.#more = undefined;
    if (first !== undefined && shard !== undefined) each(first, shard);
    for (const [ask, asked] of more ?? []) each(ask, asked);
  }
}
