import { Changes, type Place, type PlainRecord, sortedValues } from './fixture.ts';

/** All a member of a group has seen and been given. */
export interface GroupMember {
  readonly records: PlainRecord[];
  /** What it was given, as `topic/partition`. */
  readonly partitions: readonly string[];
}

/** The members of one group of a client's consumers that read the same. */
export abstract class TestGroup<Member extends GroupMember> {
  readonly groupId: string;
  readonly members: Member[] = [];
  /** Told of every assignment and every record. */
  readonly changes = new Changes();
  protected readonly broker: Place;

  constructor(broker: Place, groupId = broker.name('group')) {
    this.groupId = groupId;
    this.broker = broker;
  }

  /** It says goodbye. */
  abstract leave(member: Member): Promise<void>;

  /** It is no member any more. */
  forget(member: Member): void {
    this.members.splice(this.members.indexOf(member), 1);
  }

  /** Resolves when the members hold all partitions, each once, and every one as many as `shares` says. */
  async shared(...shares: number[]): Promise<void> {
    const count = shares.reduce((sum, share) => sum + share, 0);
    await this.changes.until(() => {
      const owned = this.members.map(({ partitions }) => partitions);
      const sizes = owned.map(({ length }) => length).toSorted((a, b) => a - b);
      return sizes.join() === shares.join() && new Set(owned.flat()).size === count;
    });
  }

  /** Resolves when the members together have seen so many records. */
  async seen(count: number): Promise<PlainRecord[]> {
    const all = () => this.members.flatMap(({ records }) => records);
    await this.changes.until(() => all().length >= count);
    return all();
  }
}

/**
 * What a member has seen that begins like this, each once: after a rebalance it begins where the group has committed,
 * and what was read beyond comes again.
 */
export function distinct(member: GroupMember, prefix: string): (string | null)[] {
  const seen = member.records.filter(({ value }) => value?.startsWith(prefix));
  return [...new Set(sortedValues(seen))];
}
