import { wordAt } from '../../model/bytes.ts';
import type { Random } from '../../ports/random.ts';
import type { RecordBytes } from './record.ts';

/**
 * Chooses a partition by key, from 0 to `partitions - 1`. It must always say the same of the same key and count, or
 * the records of a key lose their order.
 */
export type Partitioner = (record: { topic: string; key: RecordBytes }, partitions: number) => number;

const UTF8 = new TextEncoder();
const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** Kafka's own, which Java, kafkajs and this client share: a key is on the same partition whoever writes it. */
export const murmur2Partitioner: Partitioner = ({ key }, partitions) =>
  (murmur2(typeof key === 'string' ? UTF8.encode(key) : key) & 0x7fffffff) % partitions;

/** MurmurHash2 of 32 bits, signed, with Kafka's seed (`Utils.murmur2`). */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const whole = length & ~3;
  let hash = SEED ^ length;
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(wordAt(bytes, at), M);
    word = Math.imul(word ^ (word >>> 24), M);
    hash = Math.imul(hash, M) ^ word;
  }
  if (whole < length) {
    for (let at = length - 1; at >= whole; at--) hash ^= (bytes[at] ?? 0) << (8 * (at - whole));
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

/** What a sticky partitioner sees of one partition. */
export interface PartitionLoad {
  hasLeader: boolean;
  /** Batches that wait. */
  batches: number;
}

/**
 * For records without a key (KIP-794): one partition until about a batch has gone there, then another, the likelier the
 * less waits for it. So batches are full, and a slow broker gets less.
 */
export class StickyPartition {
  readonly #random: Random;
  readonly #stayBytes: number;
  #current = -1;
  #bytes = 0;

  constructor(random: Random, stayBytes: number) {
    this.#random = random;
    this.#stayBytes = stayBytes;
  }

  /** The partition of the next record, which is so large. */
  next(sizeBytes: number, partitions: number, loadOf: (partition: number) => PartitionLoad): number {
    if (this.#current < 0 || this.#current >= partitions || this.#bytes >= this.#stayBytes) {
      this.#current = choose(
        Array.from({ length: partitions }, (_, at) => loadOf(at)),
        this.#random,
      );
      this.#bytes = 0;
    }
    this.#bytes += sizeBytes;
    return this.#current;
  }
}

/** Each is as likely as it is behind the longest queue, and one. Without any leader they are all alike. */
function choose(loads: readonly PartitionLoad[], random: Random): number {
  const isUsable = loads.some(({ hasLeader }) => hasLeader);
  const longest = loads.reduce((most, { batches }) => Math.max(most, batches), 0);
  const weights = loads.map(({ hasLeader, batches }) => (hasLeader || !isUsable ? longest - batches + 1 : 0));
  let left = random.next() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [partition, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return partition;
  }
  return weights.findLastIndex((weight) => weight > 0);
}
