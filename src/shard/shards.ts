import { ErrorCode } from '../model/errors.ts';
import type { LogKey, Uuid } from '../model/ids.ts';
import type { Address } from '../model/machine.ts';
import {
  type ShardId,
  type ShardLink,
  type ShardReply,
  type ShardRequest,
  dataShard,
} from '../ports/shard-link.ts';
import { describeLogDirsApi } from '../wire/apis/35-describe-log-dirs.ts';
import { Asks } from './asks.ts';
import { replyWithSize } from './log-sizes.ts';
import { Shard } from './shard.ts';
import type { ShardParts, ShardSpec } from './shard-spec.ts';

/** The host's answer to "what is this shard": undefined when metadata does not know it. */
export type SpecOf = (id: ShardId) => Omit<ShardSpec, 'stored'> | undefined;

/** All shards of one host, opened when first asked for. The gateway's link to them, by reference. */
export class Shards implements ShardLink {
  readonly #parts: ShardParts;
  readonly #asks: Asks;
  readonly #specOf: SpecOf;
  readonly #shards = new Map<ShardId, Shard>();
  readonly #stored: Set<LogKey>;

  /** @param parts `others` is where shards of other hosts are asked; left out, all are here. */
  constructor(
    { others, ...parts }: Omit<ShardParts, 'asks'> & { others?: Pick<ShardLink, 'request'> | undefined },
    specOf: SpecOf,
  ) {
    this.#asks = new Asks(others ?? this, parts.clock);
    const reply = (answer: ShardReply) => {
      if (!this.#asks.receive(answer)) parts.reply(answer);
    };
    this.#parts = { ...parts, reply, asks: this.#asks };
    this.#specOf = specOf;
    this.#stored = new Set(parts.store.logs().map(({ log }) => log));
  }

  request(request: ShardRequest): void {
    const shard = this.get(request.shard);
    if (shard !== undefined && request.apiKey === describeLogDirsApi.key)
      return this.#tellSize(request, shard);
    if (shard !== undefined) return shard.receive(request);
    const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    this.#parts.reply({ to: request.from, body: undefined, errorCode });
  }

  #tellSize(request: ShardRequest, { spec: { name } }: Shard): void {
    const { store, reply } = this.#parts;
    void replyWithSize(request, { store, name, isStored: this.#stored.has(name.log), reply });
  }

  /** What a shard elsewhere says to something asked here. */
  answered(reply: ShardReply): void {
    this.#asks.receive(reply);
  }

  cancel(id: ShardId, from: Address): void {
    this.#shards.get(id)?.cancel(from);
  }

  /** The shard, made but not yet opened if it is new; undefined when metadata has confirmed none of that name. */
  get(id: ShardId): Shard | undefined {
    const known = this.#shards.get(id);
    if (known !== undefined) return known;
    const spec = this.#specOf(id);
    if (spec === undefined) return undefined;
    const shard = new Shard(this.#parts, { ...spec, stored: this.#stored });
    this.#shards.set(id, shard);
    return shard;
  }

  /** Opens a shard whose log is there already. */
  async openStored(id: ShardId): Promise<void> {
    const shard = this.get(id);
    if (shard !== undefined && this.#stored.has(shard.spec.name.log)) await shard.open();
  }

  /** Those that were asked for so far. */
  all(): Iterable<Shard> {
    return this.#shards.values();
  }

  /** A topic is deleted: its shards accept nothing more and its logs go. */
  async dropTopic(topicId: Uuid): Promise<void> {
    const logs = [...this.#stored].filter((log) => log.startsWith(`${topicId}/`));
    for (const log of logs) {
      this.#shards.get(dataShard(log))?.drop();
      this.#shards.delete(dataShard(log));
      this.#stored.delete(log);
    }
    if (logs.length > 0) await this.#parts.store.commit(logs.map((log) => ({ type: 'drop', log })));
  }

  /** Writes what makes the next start fast. Nothing may be asked after it. */
  async close(): Promise<void> {
    this.#asks.close();
    const writes = [...this.#shards.values()].flatMap((shard) => shard.closingWrites());
    if (writes.length > 0) await this.#parts.store.commit(writes);
  }
}
