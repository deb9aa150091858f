import type { Offset } from '../model/ids.ts';
import type { ShardReply } from '../ports/shard-link.ts';

/** Replies that wait for the high watermark, in the order they were given. Offsets never fall. */
export class WaitingReplies {
  #items: { offset: Offset; reply: ShardReply }[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** `reply` may go once all below `offset` is committed. */
  add(offset: Offset, reply: ShardReply): void {
    // Mostly there is one: an empty array that grows takes room for many.
    if (this.#items.length === 0) this.#items = [{ offset, reply }];
    else this.#items.push({ offset, reply });
  }

  /** Hands out, in order, what may go now. */
  release(highWatermark: Offset, send: (reply: ShardReply) => void): void {
    while (this.#head < this.#items.length) {
      const item = this.#items[this.#head];
      if (item === undefined || item.offset > highWatermark) break;
      this.#head++;
      send(item.reply);
    }
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Takes all that still wait. */
  drain(): ShardReply[] {
    const replies = this.#items.slice(this.#head).map(({ reply }) => reply);
    this.#items = [];
    this.#head = 0;
    return replies;
  }
}
