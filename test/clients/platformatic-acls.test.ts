import {
  AclOperations as Op,
  AclPermissionTypes as Permission,
  ResourcePatternTypes as Pattern,
  ResourceTypes as Resource,
} from '@platformatic/kafka';
import { describe, expect, test } from 'vitest';
import { useBroker } from './fixture.ts';
import { createTopic, errorsOf, Group, newAdmin, newProducer } from './platformatic.ts';

/** Rules are kept, and whoever comes here may do all. */
const GUARDED = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
};

describe('@platformatic/kafka admin: rules', () => {
  const guarded = useBroker('files', GUARDED);
  const open = useBroker();
  const ann = { principal: 'User:ann', host: '*', operation: Op.READ, permissionType: Permission.ALLOW };
  const orders = { resourceType: Resource.TOPIC, resourceName: 'orders' };
  const any = {
    resourceType: Resource.ANY,
    resourceName: null,
    resourcePatternType: Pattern.ANY,
    principal: null,
    host: null,
    operation: Op.ANY,
    permissionType: Permission.ANY,
  };

  test('are made, described by filter, and deleted', async () => {
    const admin = newAdmin(guarded);
    const bob = { ...ann, principal: 'User:bob', permissionType: Permission.DENY };
    const prefixed = { ...orders, resourceName: 'ord', resourcePatternType: Pattern.PREFIXED };
    const literal = { ...orders, resourcePatternType: Pattern.LITERAL };
    await admin.createAcls({
      creations: [
        { ...literal, ...ann },
        { ...prefixed, ...bob },
      ],
    });
    const matching = { ...any, ...orders, resourcePatternType: Pattern.MATCH };
    const found = await admin.describeAcls({ filter: matching });
    expect(found.map(({ resourceName }) => resourceName).toSorted()).toEqual(['ord', 'orders']);
    const deleted = await admin.deleteAcls({ filters: [{ ...any, principal: 'User:bob' }] });
    expect(deleted).toMatchObject([{ ...prefixed, ...bob }]);
    const left = await admin.describeAcls({ filter: any });
    expect(left).toMatchObject([{ resourceName: 'orders', acls: [ann] }]);
  });

  test('without an authoriser there are none, and that is said', async () => {
    const admin = newAdmin(open);
    const creations = [{ ...orders, resourcePatternType: Pattern.LITERAL, ...ann }];
    expect(await errorsOf(admin.createAcls({ creations }))).toEqual(['SECURITY_DISABLED']);
  });
});

describe('@platformatic/kafka admin: what is left of the others', () => {
  const broker = useBroker();

  test('records are deleted up to an offset, and not beyond the end', async () => {
    const admin = newAdmin(broker);
    const topic = await createTopic(broker);
    await newProducer(broker).send({
      messages: ['a', 'b', 'c'].map((value) => ({ topic, value: Buffer.from(value) })),
    });
    const upTo = (offset: bigint) =>
      admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset }] }] });
    expect(await upTo(2n)).toEqual([{ name: topic, partitions: [{ partition: 0, lowWatermark: 2n }] }]);
    expect(await errorsOf(upTo(9n))).toEqual(['OFFSET_OUT_OF_RANGE']);
    const partitions = [{ partitionIndex: 0, timestamp: -2n }];
    const [listed] = await admin.listOffsets({ topics: [{ name: topic, partitions }] });
    expect(listed?.partitions[0]?.offset).toBe(2n);
  });

  test('a coordinator is found, and members are taken out of their group', async () => {
    const admin = newAdmin(broker);
    const topic = await createTopic(broker, { partitions: 2 });
    const group = new Group(broker, topic);
    const { groupId } = group;
    const member = await group.join();
    await group.shared(2);
    expect(await admin.findCoordinator({ keys: [groupId], keyType: 0 })).toMatchObject([
      { key: groupId, nodeId: 1, host: '127.0.0.1', port: broker.port },
    ]);
    const memberId = member.consumer.memberId ?? '';
    await admin.removeMembersFromConsumerGroup({ groupId, members: [{ memberId }] });
    // It comes back as another.
    await group.shared(2);
    await group.leave(member);
  });
});
