import { at } from '../../../model/assert.ts';
import { titleOf, type TopicPartition } from '../../topic-partition.ts';
import { type Assignments, type GroupMember, sorted } from './assignor.ts';

interface Share {
  readonly memberId: string;
  readonly topics: ReadonlySet<string>;
  /** What it had before. */
  readonly claims: ReadonlySet<string>;
  readonly held: Map<string, number[]>;
  size: number;
}

/** One way for a partition of `topic` to leave a member: the step of a path. */
interface Step {
  from: Share;
  topic: string;
  to: Share;
}

/**
 * Who holds what, while it is decided. The balance: no member holds two more than another that could take one off it,
 * be it through others that pass theirs on. Members that want the same topics differ by one at most.
 */
export class Shares {
  readonly #shares: readonly Share[];
  readonly #readers = new Map<string, Share[]>();

  /** @param claimsOf titles of what a member had. */
  constructor(members: readonly GroupMember[], claimsOf: (member: GroupMember) => ReadonlySet<string>) {
    this.#shares = sorted(members).map((member) => ({
      memberId: member.memberId,
      topics: new Set(member.topics),
      claims: claimsOf(member),
      held: new Map(),
      size: 0,
    }));
    for (const share of this.#shares)
      for (const topic of share.topics)
        this.#readers.set(topic, [...(this.#readers.get(topic) ?? []), share]);
  }

  /** How many members could take a partition of it. */
  readersOf(topic: string): number {
    return this.#readers.get(topic)?.length ?? 0;
  }

  /** Whoever had it and still wants it keeps it. @returns whether there is such a one. */
  keep(partition: TopicPartition): boolean {
    const title = titleOf(partition);
    const owner = this.#readers.get(partition.topic)?.find(({ claims }) => claims.has(title));
    if (owner !== undefined) give(owner, partition);
    return owner !== undefined;
  }

  /** To whoever wants it and holds the least. */
  add(partition: TopicPartition): void {
    const readers = this.#readers.get(partition.topic) ?? [];
    give(
      readers.reduce((least, share) => (share.size < least.size ? share : least), at(readers, 0)),
      partition,
    );
  }

  /** Moves partitions, as few as it can see, until the balance holds. */
  balance(): void {
    for (let isMoved = true; isMoved;) {
      isMoved = false;
      const least = Math.min(...this.#shares.map(({ size }) => size));
      for (const share of this.#shares.toSorted((a, b) => b.size - a.size)) {
        const path = share.size < least + 2 ? undefined : this.#pathFrom(share);
        if (path === undefined) continue;
        for (const step of path) move(step);
        isMoved = true;
        break;
      }
    }
  }

  assignments(): Assignments {
    return new Map(
      this.#shares.map(({ memberId, held }) => [
        memberId,
        [...held].flatMap(([topic, partitions]) =>
          partitions.toSorted((a, b) => a - b).map((partition) => ({ topic, partition })),
        ),
      ]),
    );
  }

  /** The shortest way on which one partition after the other goes over, so that the last member gains what it lacks. */
  #pathFrom(source: Share): Step[] | undefined {
    const cameBy = new Map<Share, Step | undefined>([[source, undefined]]);
    const seen = new Set<string>();
    for (const from of cameBy.keys())
      for (const [topic, partitions] of from.held) {
        if (partitions.length === 0 || seen.has(topic)) continue;
        seen.add(topic);
        const readers = (this.#readers.get(topic) ?? []).filter((to) => !cameBy.has(to));
        for (const to of readers) cameBy.set(to, { from, topic, to });
        const end = readers.reduce<Share>((least, to) => (to.size < least.size ? to : least), source);
        if (end.size <= source.size - 2) return stepsTo(end, cameBy);
      }
    return undefined;
  }
}

/** From the last to the first, so that nobody holds more than it will in the end. */
function stepsTo(end: Share, cameBy: ReadonlyMap<Share, Step | undefined>): Step[] {
  const steps: Step[] = [];
  for (let step = cameBy.get(end); step !== undefined; step = cameBy.get(step.from)) steps.push(step);
  return steps;
}

function give(share: Share, { topic, partition }: TopicPartition): void {
  const held = share.held.get(topic);
  if (held === undefined) share.held.set(topic, [partition]);
  else held.push(partition);
  share.size++;
}

/** Rather what the giver did not have before, best what the taker had. */
function move({ from, topic, to }: Step): void {
  const held = from.held.get(topic) ?? [];
  const worth = (partition: number) => {
    const title = titleOf({ topic, partition });
    return (from.claims.has(title) ? 0 : 1) + (to.claims.has(title) ? 2 : 0);
  };
  const partition = held.reduce((best, one) => (worth(one) >= worth(best) ? one : best), at(held, 0));
  held.splice(held.indexOf(partition), 1);
  from.size--;
  give(to, { topic, partition });
}
