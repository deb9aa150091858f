import type { Uuid } from '../model/ids.ts';

/** Partitions by topic; no topic is there without any. */
export type Partitions = ReadonlyMap<Uuid, ReadonlySet<number>>;

/** Likewise, each with the epoch in which its member was given it: commits of older epochs are late (KIP-1251). */
export type EpochPartitions = ReadonlyMap<Uuid, ReadonlyMap<number, number>>;

export const NO_PARTITIONS: ReadonlyMap<Uuid, ReadonlyMap<number, number> & ReadonlySet<number>> = new Map();

/** What both forms of partitions have. */
type AnyPartitions = ReadonlyMap<Uuid, { has(partition: number): boolean; keys(): Iterable<number> }>;

/** As messages and records list them. */
export interface TopicPartitions {
  topicId: Uuid;
  partitions: readonly number[];
}

export function listed(partitions: AnyPartitions): { topicId: Uuid; partitions: number[] }[] {
  return [...partitions].map(([topicId, some]) => ({
    topicId,
    partitions: [...some.keys()].sort((a, b) => a - b),
  }));
}

export function collected(lists: readonly TopicPartitions[]): Map<Uuid, Set<number>> {
  const found = new Map<Uuid, Set<number>>();
  for (const { topicId, partitions } of lists) {
    if (partitions.length === 0) continue;
    const some = found.get(topicId);
    if (some === undefined) found.set(topicId, new Set(partitions));
    else for (const partition of partitions) some.add(partition);
  }
  return found;
}

export function withEpoch(partitions: Partitions, epoch: number): Map<Uuid, Map<number, number>> {
  return new Map(
    [...partitions].map(([topicId, some]) => [
      topicId,
      new Map([...some].map((partition) => [partition, epoch])),
    ]),
  );
}

/** Whether every partition of `lists` is among `partitions`. */
export function isWithin(lists: readonly TopicPartitions[], partitions: AnyPartitions): boolean {
  return lists.every(({ topicId, partitions: some }) => {
    const all = partitions.get(topicId);
    return some.every((partition) => all?.has(partition) === true);
  });
}

/** Whether any partition of `lists` is among `partitions`. */
export function touches(lists: readonly TopicPartitions[], partitions: AnyPartitions): boolean {
  return lists.some(({ topicId, partitions: some }) => {
    const all = partitions.get(topicId);
    return some.some((partition) => all?.has(partition) === true);
  });
}

export function samePartitions(left: AnyPartitions, right: AnyPartitions): boolean {
  if (left.size !== right.size) return false;
  for (const [topicId, some] of left) {
    const others = right.get(topicId);
    if (others === undefined) return false;
    let count = 0;
    for (const partition of some.keys()) {
      if (!others.has(partition)) return false;
      count++;
    }
    for (const _ of others.keys()) count--;
    if (count !== 0) return false;
  }
  return true;
}
