import {
  AclOperationTypes as Op,
  AclPermissionTypes as Permission,
  AclResourceTypes as Resource,
  ResourcePatternTypes as Pattern,
} from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { useBroker } from './fixture.ts';
import { connectAdmin, connectProducer, createTopic, errorsOf } from './kafkajs.ts';

/** Rules are kept, and whoever comes here may do all. */
const GUARDED = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
};

describe('kafkajs admin: rules', () => {
  const guarded = useBroker('files', GUARDED);
  const open = useBroker();
  const ann = { principal: 'User:ann', host: '*', operation: Op.READ, permissionType: Permission.ALLOW };
  const orders = { resourceType: Resource.TOPIC, resourceName: 'orders' };
  const any = { operation: Op.ANY, permissionType: Permission.ANY, resourcePatternType: Pattern.ANY };

  test('are made, described by filter, and deleted', async () => {
    const admin = await connectAdmin(guarded);
    const bob = { ...ann, principal: 'User:bob', permissionType: Permission.DENY };
    const rules = [
      { ...orders, resourcePatternType: Pattern.LITERAL, ...ann },
      { ...orders, resourceName: 'ord', resourcePatternType: Pattern.PREFIXED, ...bob },
    ];
    expect(await admin.createAcls({ acl: rules })).toBe(true);
    const match = { ...any, ...orders, resourcePatternType: Pattern.MATCH };
    const { resources } = await admin.describeAcls(match);
    const found = resources.flatMap(({ acls, ...of }) => acls.map((acl) => ({ ...of, ...acl })));
    expect(found.toSorted((a, b) => (a.principal < b.principal ? -1 : 1))).toEqual(rules);
    const deleted = await admin.deleteAcls({
      filters: [{ ...any, resourceType: Resource.ANY, principal: 'User:bob' }],
    });
    expect(deleted.filterResponses[0]?.matchingAcls).toMatchObject([{ ...bob, resourceName: 'ord' }]);
    expect((await admin.describeAcls({ ...any, resourceType: Resource.ANY })).resources).toEqual([
      { ...orders, resourcePatternType: Pattern.LITERAL, acls: [ann] },
    ]);
  });

  test('without an authoriser there are none, and that is said', async () => {
    const admin = await connectAdmin(open);
    const acl = [{ ...orders, resourcePatternType: Pattern.LITERAL, ...ann }];
    expect(await errorsOf(admin.createAcls({ acl }))).toContain('SECURITY_DISABLED');
    expect(await errorsOf(admin.describeAcls({ ...any, ...orders }))).toContain('SECURITY_DISABLED');
  });
});

describe('kafkajs admin: what is left of the others', () => {
  const broker = useBroker();

  test('records are deleted up to an offset, and not beyond the end', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const producer = await connectProducer(broker);
    await producer.send({ topic, messages: ['a', 'b', 'c'].map((value) => ({ value })) });
    // kafkajs looks for the leaders of a topic it knows already.
    expect(await admin.fetchTopicOffsets(topic)).toMatchObject([{ low: '0', high: '3' }]);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
    expect(await admin.fetchTopicOffsets(topic)).toMatchObject([{ low: '2', high: '3' }]);
    const beyond = admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '9' }] });
    await expect(beyond).rejects.toThrow('Error while deleting records');
    expect(await admin.fetchTopicOffsets(topic)).toMatchObject([{ low: '2', high: '3' }]);
  });

  test('partitions are where they are to be, and nowhere else', async () => {
    const admin = await connectAdmin(broker);
    const topic = await createTopic(admin, broker);
    const move = (replicas: number[]) =>
      admin.alterPartitionReassignments({
        topics: [{ topic, partitionAssignment: [{ partition: 0, replicas }] }],
      });
    await move([1]);
    expect(await errorsOf(move([2]))).toContain('INVALID_REPLICA_ASSIGNMENT');
    expect((await admin.listPartitionReassignments({ topics: [{ topic, partitions: [0] }] })).topics).toEqual(
      [],
    );
  });
});
