import { type Assignor, nobodyHasAny, partitionsIn, sorted, wantedTopics } from './assignor.ts';

/** Topic by topic, a run of neighbours each: partitions of the same number of several topics meet in one member. */
export const range: Assignor = {
  name: 'range',
  isCooperative: false,
  assign(members, counts) {
    const assignments = nobodyHasAny(members);
    const inOrder = sorted(members);
    for (const topic of wantedTopics(members, counts)) {
      const partitions = partitionsIn(topic, counts);
      const readers = inOrder.filter(({ topics }) => topics.includes(topic));
      const share = Math.floor(partitions.length / readers.length);
      const larger = partitions.length % readers.length;
      for (const [index, { memberId }] of readers.entries()) {
        const from = index * share + Math.min(index, larger);
        const size = share + (index < larger ? 1 : 0);
        assignments.get(memberId)?.push(...partitions.slice(from, from + size));
      }
    }
    return assignments;
  },
};
