import { KafkaError } from '../../../model/errors.ts';
import { decodeMessage, encodeMessage } from '../../../wire/codec.ts';
import { array, int32, message, string } from '../../../wire/schema.ts';
import { titleOf, type TopicPartition } from '../../topic-partition.ts';
import { listsOf, partitionsOf } from '../consumer-protocol.ts';
import { type Assignments, type Assignor, type GroupMember, partitionsIn, wantedTopics } from './assignor.ts';
import type { PartitionCounts } from './assignor.ts';
import { Shares } from './shares.ts';

/** What a member had before, and in which generation; -1 when it does not say. */
export interface Claim {
  partitions: readonly TopicPartition[];
  generationId: number;
}

/** Java's own, written there by hand: v0 has no generation. */
const previousAssignment = message({
  name: 'StickyAssignorUserData',
  versions: '0-1',
  flexible: 'none',
  fields: {
    previousAssignment: array('0+', { topic: string('0+'), partitions: array('0+', int32('0+')) }),
    generation: int32('1+', { default: -1 }),
  },
});

/** Members keep what they had; what they give up is no more than the balance takes. */
export const sticky: Assignor = {
  name: 'sticky',
  isCooperative: false,
  userDataOf: ({ partitions, generationId }) =>
    encodeMessage(previousAssignment, 1, {
      previousAssignment: listsOf(partitions),
      generation: generationId,
    }),
  assign: (members, counts) => assignSticky(members, counts, claimIn),
};

/** @param claimOf what a member says it had. Of several claims to a partition the newest counts, if it is one. */
export function assignSticky(
  members: readonly GroupMember[],
  counts: PartitionCounts,
  claimOf: (member: GroupMember) => Claim,
): Assignments {
  const claims = new Map(members.map((member) => [member.memberId, claimOf(member)]));
  const newest = newestClaims(claims);
  const shares = new Shares(members, ({ memberId }) => {
    const titles = (claims.get(memberId)?.partitions ?? []).map(titleOf);
    return new Set(titles.filter((title) => newest.get(title)?.memberId === memberId));
  });
  const free = wantedTopics(members, counts)
    .flatMap((topic) => partitionsIn(topic, counts))
    .filter((partition) => !shares.keep(partition));
  // What few can take is given first, so that it need not be made room for.
  const choices = Map.groupBy(free, ({ topic }) => shares.readersOf(topic));
  for (const readers of [...choices.keys()].sort((a, b) => a - b))
    for (const partition of choices.get(readers) ?? []) shares.add(partition);
  shares.balance();
  return shares.assignments();
}

interface Newest {
  /** Undefined when several claim it in the same generation: nobody knows whose it is. */
  memberId: string | undefined;
  generationId: number;
}

/** By title. */
function newestClaims(claims: ReadonlyMap<string, Claim>): Map<string, Newest> {
  const newest = new Map<string, Newest>();
  for (const [memberId, { partitions, generationId }] of claims)
    for (const title of partitions.map(titleOf)) {
      const known = newest.get(title);
      if (known === undefined || generationId > known.generationId)
        newest.set(title, { memberId, generationId });
      else if (generationId === known.generationId) known.memberId = undefined;
    }
  return newest;
}

function claimIn({ userData }: GroupMember): Claim {
  for (const version of [1, 0]) {
    try {
      const found = decodeMessage(previousAssignment, version, userData ?? new Uint8Array(0));
      return { partitions: partitionsOf(found.previousAssignment), generationId: found.generation };
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
    }
  }
  return { partitions: [], generationId: -1 };
}
