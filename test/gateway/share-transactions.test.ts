import { afterEach, beforeEach, expect, test } from 'vitest';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { endTxnApi } from '../../src/wire/apis/26-end-txn.ts';
import { incrementalAlterConfigsApi } from '../../src/wire/apis/44-incremental-alter-configs.ts';
import { batch, produce, produceBody, type RawClient, TestBroker } from './harness.ts';
import { ShareMember } from './share-member.ts';

let server: TestBroker;
let client: RawClient;
let topic: { name: string; id: string };

beforeEach(async () => {
  server = await TestBroker.start();
  client = await server.client();
  topic = await server.topic(client);
  await client.send(findCoordinatorApi, 4, { keyType: 0, coordinatorKeys: ['any'] });
});

afterEach(() => server.close());

async function member(groupId: string, isolationLevel: string): Promise<ShareMember> {
  const configs = { 'share.auto.offset.reset': 'earliest', 'share.isolation.level': isolationLevel };
  const changes = Object.entries(configs).map(([name, value]) => ({ name, value, configOperation: 0 }));
  const resources = [{ resourceType: 32, resourceName: groupId, configs: changes }];
  await client.send(incrementalAlterConfigsApi, 1, { resources, validateOnly: false });
  const one = new ShareMember(await server.client(), { topic, groupId, memberId: 'a' });
  await one.beat();
  return one;
}

async function transaction(id: string, value: string, committed: boolean): Promise<void> {
  await client.send(findCoordinatorApi, 4, { keyType: 1, coordinatorKeys: [id] });
  const begun = { transactionalId: id, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 };
  const { producerId, producerEpoch } = await client.send(initProducerIdApi, 4, begun);
  const stamp = { producerId, producerEpoch, baseSequence: 0, isTransactional: true };
  const body = produceBody(topic, batch([value], stamp));
  const { responses } = await client.send(produceApi, 12, { ...body, transactionalId: id });
  const end = { transactionalId: id, producerId, producerEpoch, committed };
  const { errorCode } = await client.send(endTxnApi, 5, end);
  expect([responses[0]?.partitionResponses[0]?.errorCode, errorCode]).toEqual([0, 0]);
}

test('what was aborted is read only by share groups that want all', async () => {
  const careful = await member('careful', 'read_committed');
  const any = await member('any', 'read_uncommitted');
  await transaction('t1', 'aborted', false);
  await transaction('t2', 'committed', true);
  await produce(client, topic, batch(['9']));
  const readThree = async (reader: ShareMember, count: number) => {
    const read: string[] = [];
    while (read.length < count) read.push(...(await reader.read()));
    return read;
  };
  expect(await readThree(careful, 2)).toEqual(['committed', '9']);
  expect(await readThree(any, 3)).toEqual(['aborted', 'committed', '9']);
});
