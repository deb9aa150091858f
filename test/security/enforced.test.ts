import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { GUARDS } from '../../src/gateway/access/guards.ts';
import { HANDLERS } from '../../src/gateway/handlers/index.ts';
import { AclOperation as Op, AclPermission, AclResource } from '../../src/security/acl.ts';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { listOffsetsApi } from '../../src/wire/apis/02-list-offsets.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { offsetCommitApi } from '../../src/wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { describeGroupsApi } from '../../src/wire/apis/15-describe-groups.ts';
import { listGroupsApi } from '../../src/wire/apis/16-list-groups.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { describeAclsApi } from '../../src/wire/apis/29-describe-acls.ts';
import { createAclsApi } from '../../src/wire/apis/30-create-acls.ts';
import { deleteAclsApi } from '../../src/wire/apis/31-delete-acls.ts';
import { saslHandshakeApi } from '../../src/wire/apis/17-sasl-handshake.ts';
import { saslAuthenticateApi } from '../../src/wire/apis/36-sasl-authenticate.ts';
import { deleteGroupsApi } from '../../src/wire/apis/42-delete-groups.ts';
import { describeClusterApi } from '../../src/wire/apis/60-describe-cluster.ts';
import { batch, fetchBody, produceBody } from '../gateway/harness.ts';
import { describeTopicPartitionsApi } from '../../src/wire/apis/75-describe-topic-partitions.ts';
import { RawClient } from '../gateway/raw-client.ts';
import { AUTHORIZER, Secured } from './secured.ts';
import { casesFor } from './access-cases.ts';
import { ALICE, ANY_ACL, onCluster, onGroup, onTopic, rule } from './case.ts';

const USER = 'alice';

let secured: Secured;
/** May all. */
let root: RawClient;
let alice: RawClient;
const topic = { name: 'secret', id: '' };
const cases = casesFor({ client: () => alice, topic });

beforeAll(async () => {
  secured = await Secured.start({
    settings: { 'authorizer.class.name': AUTHORIZER, 'super.users': 'User:ANONYMOUS' },
  });
  await secured.addUser(USER, 'p');
  root = await RawClient.connect(secured.setup);
  const made = await root.send(createTopicsApi, 7, {
    topics: [{ name: topic.name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  });
  topic.id = made.topics[0]?.topicId ?? '';
  await root.send(produceApi, 12, produceBody(topic, batch(['one'])));
  await root.send(findCoordinatorApi, 0, { key: 'team' });
  alice = await RawClient.connect(secured.broker.kafka);
  await alice.send(saslHandshakeApi, 1, { mechanism: 'PLAIN' });
  const authBytes = new TextEncoder().encode(`\0${USER}\0p`);
  await alice.send(saslAuthenticateApi, 2, { authBytes });
});
afterAll(async () => {
  root.destroy();
  alice.destroy();
  await secured.close();
});
beforeEach(async () => {
  await root.send(deleteAclsApi, 3, { filters: [ANY_ACL] });
});

test('every API that is served has somebody at its door', () => {
  expect(
    HANDLERS.map(({ api }) => api.name).filter((_, at) => !GUARDS.has(HANDLERS[at]?.api.key ?? -1)),
  ).toEqual([]);
});

describe('nobody does what no rule allows', () => {
  test.each(cases)('$api', async ({ ask, denied, needs, hides = false }) => {
    const name = needs.resourceName;
    expect(await ask(name)).toBe(denied);
    expect(hides ? await ask('no.such.topic') : denied).toBe(denied);
    await secured.allow({ ...needs, operation: Op.DESCRIBE_TOKENS });
    expect(await ask(name)).toBe(denied);
    await secured.allow(needs);
    expect(await ask(name)).toBe(0);
    await secured.allow({ ...needs, operation: Op.ALL, permissionType: AclPermission.DENY });
    expect(await ask(name)).toBe(denied);
  });
});

describe('what may be asked for is answered beside what may not', () => {
  test('lists have what may be described', async () => {
    const all = { topics: null, allowAutoTopicCreation: false };
    expect((await alice.send(metadataApi, 12, all)).topics).toEqual([]);
    await secured.allow(onTopic(Op.READ));
    expect((await alice.send(metadataApi, 12, all)).topics.map(({ name }) => name)).toEqual([topic.name]);
    const paged = await alice.send(describeTopicPartitionsApi, 0, { topics: [] });
    expect(paged).toMatchObject({ topics: [{ name: topic.name }], nextCursor: null });
    expect((await alice.send(metadataApi, 0, { topics: [] })).topics.map(({ name }) => name)).toEqual([
      topic.name,
    ]);
  });

  test('one topic is written, the other refused', async () => {
    await secured.allow(onTopic(Op.WRITE));
    const [allowed] = produceBody(topic, batch(['x'])).topicData ?? [];
    const other = { ...allowed, name: 'other' };
    const { responses } = await alice.send(produceApi, 9, {
      acks: -1,
      timeoutMs: 5_000,
      topicData: [other, allowed] as never,
    });
    const codes = new Map(responses.map(({ name, partitionResponses: [one] }) => [name, one?.errorCode]));
    expect(Object.fromEntries(codes)).toEqual({ other: 29, secret: 0 });
  });

  test('without acks a refusal closes the connection, and the rest is written', async () => {
    await secured.allow(onTopic(Op.WRITE));
    const client = await loggedIn();
    const end = async () => {
      const partitions = [{ partitionIndex: 0, timestamp: -1 }];
      const { topics } = await root.send(listOffsetsApi, 7, {
        replicaId: -1,
        topics: [{ name: topic.name, partitions }],
      });
      return topics[0]?.partitions[0]?.offset ?? -1;
    };
    const before = await end();
    const [allowed] = produceBody(topic, batch(['x'])).topicData ?? [];
    const topicData = [{ ...allowed, name: 'other' }, allowed] as never;
    client.post(produceApi, 9, { acks: 0, timeoutMs: 5_000, topicData });
    await client.closed;
    expect(await end()).toBe(before + 1);
  });

  test('a topic is not made for whoever may not make it', async () => {
    await secured.allow(onTopic(Op.DESCRIBE, 'unborn'));
    const wanted = { topics: [{ name: 'unborn' }], allowAutoTopicCreation: true };
    expect((await alice.send(metadataApi, 12, wanted)).topics[0]?.errorCode).toBe(29);
    expect(secured.broker.image.topic('unborn')).toBeUndefined();
    await secured.allow(onTopic(Op.CREATE, 'unborn'));
    expect((await alice.send(metadataApi, 12, wanted)).topics[0]?.errorCode).toBe(0);
  });

  test('a fetch session goes on with what its client may read now', async () => {
    await secured.allow(onTopic(Op.READ));
    const first = await alice.send(fetchApi, 12, fetchBody([{ topic }], { sessionEpoch: 0 }));
    expect(first.responses[0]?.partitions[0]?.errorCode).toBe(0);
    await root.send(deleteAclsApi, 3, { filters: [ANY_ACL] });
    const { sessionId } = first;
    const next = await alice.send(fetchApi, 12, { ...fetchBody([]), sessionId, sessionEpoch: 1 });
    expect(next.responses[0]?.partitions[0]).toMatchObject({ errorCode: 29, records: new Uint8Array(0) });
  });

  test('positions are those of topics that may be read', async () => {
    await secured.allow(onGroup(Op.READ), onTopic(Op.READ));
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }];
    const commit = { groupId: 'team', topics: [topic.name, 'other'].map((name) => ({ name, partitions })) };
    const { topics } = await alice.send(offsetCommitApi, 8, commit);
    expect(topics.map(({ name, partitions: [one] }) => [name, one?.errorCode])).toEqual([
      ['secret', 0],
      ['other', 29],
    ]);
    const asked = { groupId: 'team', memberId: null, memberEpoch: -1 };
    const all = await alice.send(offsetFetchApi, 9, { groups: [{ ...asked, topics: null }] });
    expect(all.groups[0]?.topics.map(({ name }) => name)).toEqual(['secret']);
    await root.send(deleteAclsApi, 3, { filters: [{ ...ANY_ACL, resourceTypeFilter: AclResource.TOPIC }] });
    expect(
      (await alice.send(offsetFetchApi, 9, { groups: [{ ...asked, topics: null }] })).groups[0]?.topics,
    ).toEqual([]);
    const named = [{ name: topic.name, partitionIndexes: [0] }];
    const one = await alice.send(offsetFetchApi, 9, { groups: [{ ...asked, topics: named }] });
    expect(one.groups[0]?.topics[0]?.partitions[0]).toMatchObject({ errorCode: 29, committedOffset: -1 });
    await root.send(deleteGroupsApi, 2, { groupsNames: ['team'] });
  });

  test('groups that are listed may be described', async () => {
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }];
    await root.send(offsetCommitApi, 8, { groupId: 'team', topics: [{ name: topic.name, partitions }] });
    expect((await alice.send(listGroupsApi, 5, {})).groups).toEqual([]);
    await secured.allow(onGroup(Op.DESCRIBE));
    expect((await alice.send(listGroupsApi, 5, {})).groups.map(({ groupId }) => groupId)).toEqual(['team']);
    await root.send(deleteGroupsApi, 2, { groupsNames: ['team'] });
  });

  test('what may be done is told where it is asked', async () => {
    await secured.allow(onTopic(Op.READ), onGroup(Op.READ), onCluster(Op.DESCRIBE));
    const asked = { topics: [{ name: topic.name }], allowAutoTopicCreation: false };
    const { topics } = await alice.send(metadataApi, 12, {
      ...asked,
      includeTopicAuthorizedOperations: true,
    });
    expect(topics[0]?.topicAuthorizedOperations).toBe((1 << Op.READ) | (1 << Op.DESCRIBE));
    const { groups } = await alice.send(describeGroupsApi, 5, {
      groups: ['team'],
      includeAuthorizedOperations: true,
    });
    expect(groups[0]?.authorizedOperations).toBe((1 << Op.READ) | (1 << Op.DESCRIBE));
    const cluster = await alice.send(describeClusterApi, 1, { includeClusterAuthorizedOperations: true });
    expect(cluster.clusterAuthorizedOperations).toBe(1 << Op.DESCRIBE);
    const rootSees = await root.send(metadataApi, 12, { ...asked, includeTopicAuthorizedOperations: true });
    expect(rootSees.topics[0]?.topicAuthorizedOperations).toBe(0b1101_1111_1000);
  });
});

describe('rules', () => {
  test('are described by pattern, and removed by filter', async () => {
    await secured.allow(
      onTopic(Op.READ, 'a'),
      rule(AclResource.TOPIC, 'a', Op.READ, { resourcePatternType: 4 }),
    );
    const about = (patternTypeFilter: number) => ({
      ...ANY_ACL,
      resourceNameFilter: 'ab',
      patternTypeFilter,
    });
    const found = await root.send(describeAclsApi, 3, about(2));
    expect(found.resources).toMatchObject([
      { resourceName: 'a', patternType: 4, acls: [{ principal: ALICE }] },
    ]);
    expect((await root.send(describeAclsApi, 3, about(1))).resources).toEqual([]);
    const gone = await root.send(deleteAclsApi, 3, { filters: [about(2)] });
    expect(gone.filterResults[0]?.matchingAcls).toHaveLength(1);
    expect((await root.send(describeAclsApi, 3, ANY_ACL)).resources).toHaveLength(1);
  });

  test('are there once, however often they are made', async () => {
    await secured.allow(onTopic(Op.READ), onTopic(Op.READ));
    await secured.allow(onTopic(Op.READ));
    expect((await root.send(describeAclsApi, 3, ANY_ACL)).resources[0]?.acls).toHaveLength(1);
  });

  test.each([
    ['names nothing', { resourceName: '' }],
    ['is of no type', { resourceType: 0 }],
    ['is of any type', { resourceType: 1 }],
    ['is for nobody', { principal: 'alice' }],
    ['does nothing', { operation: 0 }],
    ['is a filter', { resourcePatternType: 2 }],
    ['neither allows nor denies', { permissionType: 1 }],
    ['is of another cluster', { resourceType: 4, resourceName: 'other' }],
  ])('that %s is refused, and the others are made', async (_, bad) => {
    const good = { ...onTopic(Op.READ), resourcePatternType: 3, host: '*', permissionType: 3 };
    const { results } = await root.send(createAclsApi, 3, { creations: [{ ...good, ...bad }, good] });
    expect(results.map(({ errorCode }) => errorCode)).toEqual([42, 0]);
    expect((await root.send(describeAclsApi, 3, ANY_ACL)).resources).toHaveLength(1);
  });
});

async function loggedIn(): Promise<RawClient> {
  const client = await RawClient.connect(secured.broker.kafka);
  onTestFinished(() => client.destroy());
  await client.send(saslHandshakeApi, 1, { mechanism: 'PLAIN' });
  await client.send(saslAuthenticateApi, 2, { authBytes: new TextEncoder().encode(`\0${USER}\0p`) });
  return client;
}
