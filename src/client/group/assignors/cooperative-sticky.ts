import { titleOf, type TopicPartition } from '../../topic-partition.ts';
import type { Assignor, GroupMember } from './assignor.ts';
import { assignSticky, type Claim } from './sticky.ts';

const GENERATION_BYTES = 4;

/** As `sticky`, but members read on through a rebalance, and only what moves stands still: for two generations. */
export const cooperativeSticky: Assignor = {
  name: 'cooperative-sticky',
  isCooperative: true,
  // For leaders that know no generation in a subscription (before KIP-792).
  userDataOf({ generationId }) {
    const bytes = new Uint8Array(GENERATION_BYTES);
    new DataView(bytes.buffer).setInt32(0, generationId);
    return bytes;
  },
  assign(members, counts) {
    const assignments = assignSticky(members, counts, claimOf);
    const claimants = claimantsOf(members);
    for (const { memberId } of members) {
      const isFree = (partition: TopicPartition) => {
        const claims = claimants.get(titleOf(partition)) ?? new Map<string, number>();
        const own = claims.get(memberId) ?? -Infinity;
        return [...claims].every(([other, generationId]) => other === memberId || generationId < own);
      };
      assignments.set(memberId, (assignments.get(memberId) ?? []).filter(isFree));
    }
    return assignments;
  },
};

/** By title, then by member id: in which generation it got it. */
function claimantsOf(members: readonly GroupMember[]): Map<string, Map<string, number>> {
  const claimants = new Map<string, Map<string, number>>();
  for (const member of members) {
    const { partitions, generationId } = claimOf(member);
    for (const title of partitions.map(titleOf)) {
      const claims = claimants.get(title) ?? new Map<string, number>();
      claimants.set(title, claims.set(member.memberId, generationId));
    }
  }
  return claimants;
}

function claimOf({ owned, generationId, userData }: GroupMember): Claim {
  if (generationId >= 0 || userData?.length !== GENERATION_BYTES) return { partitions: owned, generationId };
  const view = new DataView(userData.buffer, userData.byteOffset);
  return { partitions: owned, generationId: view.getInt32(0) };
}
