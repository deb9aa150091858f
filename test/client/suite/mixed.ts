import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Client } from '../../../src/client/client.ts';
import type { AssignorChoice } from '../../../src/client/group/assignors/choice.ts';
import { Changes, eventually, type Place } from '../../clients/fixture.ts';
import type { GroupMember, TestGroup } from '../../clients/group.ts';
import { Group as KafkajsGroup } from '../../clients/kafkajs.ts';
import { Group as PlatformaticGroup } from '../../clients/platformatic.ts';
import { newTopic, suite } from './reach.ts';

const PARTITIONS = 6;
const { MemberAssignment, MemberMetadata } = AssignerProtocol;

/** As a kafkajs user writes one: each topic in runs, or in turn. */
function kafkajsAssigner(name: 'range' | 'roundrobin'): PartitionAssigner {
  return ({ cluster }) => ({
    name,
    version: 1,
    assign: async ({ members, topics }) => {
      const ids = members.map(({ memberId }) => memberId).sort();
      const shares = ids.map((): Record<string, number[]> => ({}));
      for (const topic of topics) {
        const { length } = cluster.findTopicPartitionMetadata(topic);
        for (let partition = 0; partition < length; partition++) {
          const at =
            name === 'range' ? Math.floor((partition * ids.length) / length) : partition % ids.length;
          const share = shares[at] as Record<string, number[]>;
          share[topic] = [...(share[topic] ?? []), partition];
        }
      }
      return ids.map((memberId, at) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version: 1,
          assignment: shares[at] as Record<string, number[]>,
          userData: Buffer.alloc(0),
        }),
      }));
    },
    protocol: ({ topics }) => ({
      name,
      metadata: MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }),
    }),
  });
}

interface Other {
  group: TestGroup<GroupMember>;
  join: () => Promise<unknown>;
}

function kafkajs(of: Place, topic: string, name: 'range' | 'roundrobin' | 'RoundRobinAssigner'): Other {
  const group = new KafkajsGroup(of, topic);
  const config = name === 'RoundRobinAssigner' ? {} : { partitionAssigners: [kafkajsAssigner(name)] };
  return { group, join: () => group.join(config) };
}

function platformatic(of: Place, topic: string, name: 'roundrobin' | 'cooperative-sticky'): Other {
  const group = new PlatformaticGroup(of, topic);
  return { group, join: () => group.join({ protocols: [{ name, version: 1 }] }) };
}

const KINDS: [string, AssignorChoice, (of: Place, topic: string) => Other][] = [
  ['kafkajs', 'RoundRobinAssigner', (of, topic) => kafkajs(of, topic, 'RoundRobinAssigner')],
  ['kafkajs', 'range', (of, topic) => kafkajs(of, topic, 'range')],
  ['kafkajs', 'roundrobin', (of, topic) => kafkajs(of, topic, 'roundrobin')],
  ['platformatic', 'roundrobin', (of, topic) => platformatic(of, topic, 'roundrobin')],
  ['platformatic', 'cooperative-sticky', (of, topic) => platformatic(of, topic, 'cooperative-sticky')],
];

/** A member of ours, and the values it has seen. */
function ours(client: Client, groupId: string, topic: string, assignor: AssignorChoice, changes: Changes) {
  const consumer = client.consumer({
    group: groupId,
    topics: topic,
    assignors: [assignor],
    heartbeatIntervalMs: 50,
    autoCommit: { intervalMs: 10 },
  });
  const values: string[] = [];
  const over = consumer.run(({ value }) => {
    values.push(String(Buffer.from(value ?? [])));
    changes.changed();
  });
  return { consumer, values, over };
}

/** One group whose members are ours and other clients': either kind may lead it. */
export const mixed = suite('mixed', (reach) => {
  describe.each(KINDS)('with %s, %s', (_, assignor, other) => {
    test.each(['we lead', 'it leads'])(
      '%s: the partitions are shared, and go over both ways',
      async (who) => {
        const client = await reach.connect();
        onTestFinished(() => client.close());
        const { name: topic } = await newTopic(reach, client, { partitions: PARTITIONS });
        const { group, join } = other(reach.place, topic);
        const joinUs = () => ours(client, group.groupId, topic, assignor, group.changes);
        const early = who === 'we lead' ? joinUs() : undefined;
        if (early === undefined) await join();
        else await eventually(() => early.consumer.assignment.length === PARTITIONS);
        const us = early ?? joinUs();
        if (early !== undefined) await join();
        const theirs = () => group.members.flatMap(({ partitions }) => partitions);
        const isShared = () => us.consumer.assignment.length === 3 && theirs().length === 3;
        await eventually(isShared);
        // Where the group stood: @platformatic/kafka may commit what it has given up.
        await eventually(async () => (await us.consumer.lag()).length === 3);
        const write = (prefix: string) =>
          client.send(
            topic,
            Array.from({ length: PARTITIONS }, (_2, partition) => ({
              value: `${prefix}${partition}`,
              partition,
            })),
          );
        const seen = (prefix: string) => {
          const all = [
            ...us.values,
            ...group.members.flatMap(({ records }) => records.map(({ value }) => value)),
          ];
          return new Set(all.filter((value) => value?.startsWith(prefix))).size;
        };
        await write('both-');
        // @platformatic/kafka also hands out what it had asked for before it gave a partition up.
        await group.changes.until(() => seen('both-') === PARTITIONS && us.values.length >= 3);
        expect(us.values).toHaveLength(3);
        const [member] = group.members;
        if (member !== undefined) await group.leave(member);
        await eventually(() => us.consumer.assignment.length === PARTITIONS);
        await write('alone-');
        await group.changes.until(() => seen('alone-') === PARTITIONS);
        await join();
        await eventually(isShared);
        await us.consumer.close();
        await us.over;
        await eventually(() => theirs().length === PARTITIONS);
        await write('theirs-');
        await group.changes.until(() => seen('theirs-') === PARTITIONS);
      },
    );
  });
});
