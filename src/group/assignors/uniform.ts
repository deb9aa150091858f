import type { Uuid } from '../../model/ids.ts';
import {
  type Assign,
  type AssignedMember,
  give,
  inOrder,
  inOrderOfId,
  type PartitionCounts,
} from './assignor.ts';

interface Share {
  readonly memberId: string;
  readonly topics: ReadonlySet<Uuid>;
  readonly had: AssignedMember['had'];
  readonly held: Map<Uuid, Set<number>>;
  size: number;
}

interface Free {
  topicId: Uuid;
  partition: number;
}

/**
 * Members keep what they had as far as the balance lets them. The balance: members that want the same topics differ by
 * one partition at most; else none holds two more than another that could take one off it.
 */
export const uniform: Assign = (members, counts) => {
  const shares = inOrder(members).map(({ memberId, topics, had }): Share => ({
    memberId,
    topics,
    had,
    held: new Map(),
    size: 0,
  }));
  if (areAlike(members)) assignAlike(shares, counts);
  else assignUnlike(shares, counts);
  return new Map(shares.map(({ memberId, held }) => [memberId, held]));
};

function areAlike([first, ...others]: readonly AssignedMember[]): boolean {
  return others.every(
    ({ topics }) => topics.size === first?.topics.size && [...topics].every((id) => first.topics.has(id)),
  );
}

/** All want the same: each has its quota, and a few one more. */
function assignAlike(shares: readonly Share[], counts: PartitionCounts): void {
  if (shares.length === 0) return;
  let total = 0;
  for (const count of counts.values()) total += count;
  const quota = Math.floor(total / shares.length);
  let larger = total % shares.length;
  for (const share of shares) {
    larger -= keep(share, counts, quota + (larger > 0 ? 1 : 0)) > quota ? 1 : 0;
  }
  const free = freeIn(shares, counts);
  // First all up to the quota, then what is left over to whoever comes first.
  for (const most of [quota, quota + 1])
    for (const share of shares)
      while (share.size < most) {
        const one = free.pop();
        if (one === undefined) return;
        take(share, one);
      }
}

function assignUnlike(shares: readonly Share[], counts: PartitionCounts): void {
  for (const share of shares) keep(share, counts, Infinity);
  const readers = new Map<Uuid, Share[]>();
  for (const topicId of counts.keys())
    readers.set(
      topicId,
      shares.filter(({ topics }) => topics.has(topicId)),
    );
  const choices = ({ topicId }: Free) => readers.get(topicId)?.length ?? 0;
  // What few can take is given first, so that it need not be made room for.
  for (const one of freeIn(shares, counts)
    .toReversed()
    .toSorted((a, b) => choices(a) - choices(b)))
    take(least(readers.get(one.topicId) ?? []), one);
  balance(readers);
}

/** @returns how many it has now, `most` at most. */
function keep(share: Share, counts: PartitionCounts, most: number): number {
  for (const [topicId, partitions] of share.had) {
    const count = share.topics.has(topicId) ? (counts.get(topicId) ?? 0) : 0;
    for (const partition of partitions)
      if (partition < count && share.size < most) take(share, { topicId, partition });
  }
  return share.size;
}

/** The last one is to be given first: they come in order off the end. */
function freeIn(shares: readonly Share[], counts: PartitionCounts): Free[] {
  const taken = new Map<Uuid, Set<number>>();
  for (const { held } of shares)
    for (const [topicId, partitions] of held)
      for (const partition of partitions) give(taken, topicId, partition);
  const free: Free[] = [];
  for (const [topicId, count] of inOrderOfId(counts))
    for (let partition = 0; partition < count; partition++)
      if (taken.get(topicId)?.has(partition) !== true) free.push({ topicId, partition });
  return free.reverse();
}

/** Each move makes the shares more alike, so it ends. */
function balance(readers: ReadonlyMap<Uuid, readonly Share[]>): void {
  for (let isMoved = true; isMoved;) {
    isMoved = false;
    for (const [topicId, some] of readers)
      for (;;) {
        const from = some
          .filter(({ held }) => (held.get(topicId)?.size ?? 0) > 0)
          .reduce<Share | undefined>(
            (best, share) => (share.size > (best?.size ?? 0) ? share : best),
            undefined,
          );
        const to = from && least(some);
        if (from === undefined || to === undefined || from.size < to.size + 2) break;
        move(from, to, topicId);
        isMoved = true;
      }
  }
}

/** Rather what the giver did not have before. */
function move(from: Share, to: Share, topicId: Uuid): void {
  const held = from.held.get(topicId) ?? new Set();
  const had = from.had.get(topicId);
  const all = [...held];
  const partition = all.find((one) => had?.has(one) !== true) ?? (all.at(-1) as number);
  held.delete(partition);
  if (held.size === 0) from.held.delete(topicId);
  from.size--;
  take(to, { topicId, partition });
}

function take(share: Share, { topicId, partition }: Free): void {
  give(share.held, topicId, partition);
  share.size++;
}

function least(shares: readonly Share[]): Share {
  return shares.reduce((best, share) => (share.size < best.size ? share : best));
}
