import type { TransactionEnd, TransactionalProducer } from '../model/machine.ts';
import type { Group } from './group.ts';
import type { OffsetAndMetadata, OffsetKey } from './records.ts';

/** A position that counts once its transaction is committed. */
export interface UnstableOffset {
  readonly group: Group;
  readonly topic: string;
  readonly partition: number;
  readonly producer: TransactionalProducer;
  readonly value: OffsetAndMetadata;
}

/**
 * Positions of open transactions. Of one partition they lie in the order of the log, and that order decides: what is
 * committed replaces all before it, whichever marker comes first.
 */
export class UnstableOffsets {
  /** By producer id. */
  readonly #open = new Map<number, Set<UnstableOffset>>();

  /** Whether the producer has a transaction here: what it adds needs no word of the coordinator. */
  isOpen({ producerId, producerEpoch }: TransactionalProducer): boolean {
    const [first] = this.#open.get(producerId) ?? [];
    return first?.producer.producerEpoch === producerEpoch;
  }

  add(
    group: Group,
    { topic, partition }: OffsetKey,
    added: Pick<UnstableOffset, 'producer' | 'value'>,
  ): void {
    const unstable: UnstableOffset = { group, topic, partition, ...added };
    const { producerId } = added.producer;
    const before = listOf(group, topic, partition);
    for (const each of before)
      if (each.producer.producerId === producerId) this.#open.get(producerId)?.delete(each);
    setList(unstable, [...before.filter((each) => each.producer.producerId !== producerId), unstable]);
    const open = this.#open.get(producerId);
    if (open === undefined) this.#open.set(producerId, new Set([unstable]));
    else open.add(unstable);
  }

  /** A record of no transaction settles the position: what was open before it does not count any more. */
  settle(group: Group, { topic, partition }: OffsetKey): void {
    for (const each of listOf(group, topic, partition)) this.#drop(each);
    group.unstable.get(topic)?.delete(partition);
    if (group.unstable.get(topic)?.size === 0) group.unstable.delete(topic);
  }

  /** @returns the groups that had positions in the transaction. */
  end({ producerId, committed }: TransactionEnd): ReadonlySet<Group> {
    const ended = this.#open.get(producerId) ?? [];
    this.#open.delete(producerId);
    const groups = new Set<Group>();
    for (const each of ended) {
      const { group, topic, partition, value } = each;
      const list = listOf(group, topic, partition);
      const at = list.indexOf(each);
      groups.add(group);
      if (!committed) {
        setList(each, list.toSpliced(at, 1));
        continue;
      }
      for (const older of list.slice(0, at)) this.#drop(older);
      setList(each, list.slice(at + 1));
      group.positions.set(topic, partition, value);
    }
    return groups;
  }

  #drop(unstable: UnstableOffset): void {
    const { producerId } = unstable.producer;
    const open = this.#open.get(producerId);
    open?.delete(unstable);
    if (open?.size === 0) this.#open.delete(producerId);
  }
}

function listOf(group: Group, topic: string, partition: number): readonly UnstableOffset[] {
  return group.unstable.get(topic)?.get(partition) ?? [];
}

function setList({ group, topic, partition }: UnstableOffset, list: UnstableOffset[]): void {
  let partitions = group.unstable.get(topic);
  if (partitions === undefined) group.unstable.set(topic, (partitions = new Map()));
  if (list.length > 0) partitions.set(partition, list);
  else partitions.delete(partition);
  if (partitions.size === 0) group.unstable.delete(topic);
}
