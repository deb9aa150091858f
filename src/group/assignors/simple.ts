import { type Assign, type AssignedMember, give, inOrder, inOrderOfId } from './assignor.ts';

/**
 * For share groups, whose members may have the same partition: every member that wants any has one, every partition
 * has a member, and of both as few as that takes.
 */
export const simple: Assign = (members, counts) => {
  const sorted = inOrder(members);
  const targets = new Map(members.map(({ memberId }) => [memberId, new Map()]));
  const all = inOrderOfId(counts).map(([topicId, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topicId, partition })),
  );
  const parts = areAlike(sorted) ? [all.flat()] : all;
  // Whoever was last in one topic comes first in the next.
  let turn = 0;
  for (const partitions of parts) {
    const readers = sorted.filter(({ topics }) => partitions[0] && topics.has(partitions[0].topicId));
    const pairs = readers.length === 0 ? 0 : Math.max(readers.length, partitions.length);
    for (let pair = 0; pair < pairs; pair++) {
      const reader = readers[(turn + pair) % readers.length];
      const given = partitions[pair % partitions.length];
      const target = reader && targets.get(reader.memberId);
      if (target && given) give(target, given.topicId, given.partition);
    }
    turn += pairs;
  }
  return targets;
};

function areAlike([first, ...others]: readonly AssignedMember[]): boolean {
  return others.every(
    ({ topics }) => topics.size === first?.topics.size && [...topics].every((id) => first.topics.has(id)),
  );
}
