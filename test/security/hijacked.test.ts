import { afterAll, beforeAll, expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { AclOperation as Op, AclResource } from '../../src/security/acl.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { saslHandshakeApi } from '../../src/wire/apis/17-sasl-handshake.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../src/wire/apis/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnApi } from '../../src/wire/apis/25-add-offsets-to-txn.ts';
import { endTxnApi } from '../../src/wire/apis/26-end-txn.ts';
import { txnOffsetCommitApi } from '../../src/wire/apis/28-txn-offset-commit.ts';
import { saslAuthenticateApi } from '../../src/wire/apis/36-sasl-authenticate.ts';
import { describeTransactionsApi } from '../../src/wire/apis/65-describe-transactions.ts';
import { batch, produce } from '../gateway/harness.ts';
import { RawClient } from '../gateway/raw-client.ts';
import { onGroup, onTopic, rule } from './case.ts';
import { AUTHORIZER, Secured } from './secured.ts';

const BILLING = 'billing';
const topic = { name: 'secret', id: '' };

let secured: Secured;
/** May all: whose transactional id it is. */
let root: RawClient;
/** May write the topic and be in the group, with ids of her own. */
let alice: RawClient;
let owner: { transactionalId: string; producerId: number; producerEpoch: number };

beforeAll(async () => {
  const settings = { 'authorizer.class.name': AUTHORIZER, 'super.users': 'User:ANONYMOUS' };
  secured = await Secured.start({ settings });
  await secured.addUser('alice', 'p');
  root = await RawClient.connect(secured.setup);
  const made = { ...topic, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] };
  topic.id = (await root.send(createTopicsApi, 7, { topics: [made] })).topics[0]?.topicId ?? '';
  await secured.allow(
    onTopic(Op.WRITE),
    onTopic(Op.READ),
    onGroup(Op.READ),
    rule(AclResource.TRANSACTIONAL_ID, 'hers', Op.WRITE),
  );
  for (const [key, keyType] of [
    [BILLING, 1],
    ['team', 0],
  ] as const)
    while ((await root.send(findCoordinatorApi, 3, { key, keyType })).errorCode !== 0);
  alice = await RawClient.connect(secured.broker.kafka);
  await alice.send(saslHandshakeApi, 1, { mechanism: 'PLAIN' });
  await alice.send(saslAuthenticateApi, 2, { authBytes: new TextEncoder().encode('\0alice\0p') });
  owner = await begin(root, BILLING);
});
afterAll(async () => {
  root.destroy();
  alice.destroy();
  await secured.close();
});

async function begin(client: RawClient, transactionalId: string) {
  const open = { transactionalId, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 };
  const { errorCode, producerId, producerEpoch } = await client.send(initProducerIdApi, 5, open);
  expect(errorCode).toBe(0);
  return { transactionalId, producerId, producerEpoch };
}

/** By whoever says that it is the owner. */
async function write(
  client: RawClient,
  { transactionalId = BILLING, partition = 0, baseSequence = 0 },
): Promise<number> {
  const { producerId, producerEpoch } = owner;
  const spec = { producerId, producerEpoch, baseSequence, isTransactional: true };
  return (await produce(client, topic, batch(['a'], spec), { transactionalId, partition })).errorCode;
}

test('a transactional id that is another’s is not fenced, written under, or ended', async () => {
  expect(await write(root, {})).toBe(0);
  const FAILED = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  const open = { transactionalId: BILLING, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 };
  expect((await alice.send(initProducerIdApi, 5, open)).errorCode).toBe(FAILED);
  for (const committed of [true, false])
    expect((await alice.send(endTxnApi, 5, { ...owner, committed })).errorCode).toBe(FAILED);
  expect(await write(alice, { baseSequence: 1 })).toBe(FAILED);
  const added = await alice.send(addPartitionsToTxnApi, 3, {
    v3AndBelowTransactionalId: BILLING,
    v3AndBelowProducerId: owner.producerId,
    v3AndBelowProducerEpoch: owner.producerEpoch,
    v3AndBelowTopics: [{ name: topic.name, partitions: [0] }],
  });
  expect(added.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode).toBe(FAILED);
  expect((await alice.send(addOffsetsToTxnApi, 3, { ...owner, groupId: 'team' })).errorCode).toBe(FAILED);
  const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }];
  const positions = { ...owner, groupId: 'team', topics: [{ name: topic.name, partitions }] };
  const told = await alice.send(txnOffsetCommitApi, 5, positions);
  expect(told.topics[0]?.partitions[0]?.errorCode).toBe(FAILED);
  // Her own id does not make the producer hers.
  await begin(alice, 'hers');
  const hers = { transactionalId: 'hers', partition: 1 };
  expect(await write(alice, hers)).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  const state = async (client: RawClient) =>
    (await client.send(describeTransactionsApi, 0, { transactionalIds: [BILLING] })).transactionStates[0];
  expect((await state(alice))?.errorCode).toBe(FAILED);
  expect(await state(root)).toMatchObject({ ...ownerIn(), transactionState: 'Ongoing' });
  expect(await write(root, { baseSequence: 1 })).toBe(0);
  expect((await root.send(endTxnApi, 5, { ...owner, committed: true })).errorCode).toBe(0);
});

function ownerIn() {
  const { producerId, producerEpoch } = owner;
  return { producerId, producerEpoch };
}
