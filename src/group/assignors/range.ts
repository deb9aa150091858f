import { type Assign, give, inOrder, inOrderOfId } from './assignor.ts';

/** Topic by topic, a run of neighbours each: partitions of the same number of several topics meet in one member. */
export const range: Assign = (members, counts) => {
  const targets = new Map(members.map(({ memberId }) => [memberId, new Map()]));
  const sorted = inOrder(members);
  for (const [topicId, count] of inOrderOfId(counts)) {
    const readers = sorted.filter(({ topics }) => topics.has(topicId));
    const share = Math.floor(count / readers.length);
    const larger = count % readers.length;
    for (const [index, { memberId }] of readers.entries()) {
      const from = index * share + Math.min(index, larger);
      const until = from + share + (index < larger ? 1 : 0);
      const target = targets.get(memberId) ?? new Map();
      for (let partition = from; partition < until; partition++) give(target, topicId, partition);
    }
  }
  return targets;
};
