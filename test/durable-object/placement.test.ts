import { expect, onTestFinished, test } from 'vitest';
import { ClientGateway } from '../../src/hosts/durable-object/client-gateway.ts';
import {
  knowsJurisdictions,
  type Namespace,
  placed,
  type Placement,
  placementOf,
} from '../../src/hosts/durable-object/placement.ts';
import { relayName } from '../../src/hosts/durable-object/relay/names.ts';
import { settingsOf } from '../../src/hosts/durable-object/settings.ts';
import { SharedMetadata } from '../../src/hosts/durable-object/shared-metadata.ts';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { VirtualClock } from '../../src/hosts/node/virtual-clock.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { MetadataImage } from '../../src/metadata/image.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type MetadataRecord,
  type MetadataRecordInit,
} from '../../src/metadata/records.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { createTopicsApi } from '../../src/wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../src/wire/apis/20-delete-topics.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { addPartitionsToTxnApi } from '../../src/wire/apis/24-add-partitions-to-txn.ts';
import { endTxnApi } from '../../src/wire/apis/26-end-txn.ts';
import { incrementalAlterConfigsApi } from '../../src/wire/apis/44-incremental-alter-configs.ts';
import { Connection } from './idle-members.ts';
import { Databases } from './node-home.ts';
import { CLUSTER, SleepyObjects } from './sleepy-objects.ts';

const INVALID_CONFIG = 40;
const TOPIC_RESOURCE = 2;
const IN_BERLIN = { 'milena.jurisdiction': 'eu', 'milena.location.hint': 'weur' };
const BERLIN = { jurisdiction: 'eu', locationHint: 'weur' };

/** A namespace that says what was asked of it. */
function recording(): { namespace: Namespace<string> } {
  const in_ = (where: string): Namespace<string> => ({
    jurisdiction: (jurisdiction) => in_(`${where}${jurisdiction}:`),
    getByName: (name, { locationHint = '' } = {}) => `${where}${name}@${locationHint}`,
  });
  return { namespace: in_('') };
}

test('an object is named within its jurisdiction, the topic before the cluster', () => {
  const { namespace } = recording();
  expect(placed(namespace, 'c/m', {})).toBe('c/m@');
  expect(placed(namespace, 'c/m', {}, { jurisdiction: 'us', locationHint: 'enam' })).toBe('us:c/m@enam');
  expect(placed(namespace, 'c/m', BERLIN, { jurisdiction: 'us', locationHint: 'enam' })).toBe('eu:c/m@weur');
  expect(placed(namespace, 'c/m', {}, { jurisdiction: '', locationHint: '' })).toBe('c/m@');
  expect(knowsJurisdictions(namespace)).toBe(true);
  const local: Namespace<string> = {
    ...namespace,
    jurisdiction: () => {
      throw new Error('not implemented');
    },
  };
  expect(knowsJurisdictions(local)).toBe(false);
});

test("a partition's relays are in its jurisdiction, and near their readers", () => {
  const image = new MetadataImage({ clusterId: 'c', controllerId: 1 });
  const topicId = 'AAAAAAAAAAAAAAAAAAAACA';
  image.apply(recordOf({ type: 'topic', name: 'berlin', topicId }));
  for (const [name, value] of Object.entries(IN_BERLIN))
    image.apply(
      recordOf({ type: 'config', resourceType: TOPIC_RESOURCE, resourceName: 'berlin', name, value }),
    );
  const shard = `d/${topicId}/0`;
  expect(placementOf(image, shard)).toEqual(BERLIN);
  expect(placementOf(image, relayName(shard, 0, 3))).toEqual({ jurisdiction: 'eu' });
  expect(placementOf(image, 'g/0')).toEqual({});
});

function recordOf(record: MetadataRecordInit): MetadataRecord {
  const decoded = decodeMetadataRecord(encodeMetadataRecord(record));
  if (decoded === undefined) throw new Error('a record that is not known');
  return decoded;
}

/** A cluster of objects, and where they were looked for. */
async function world({ hasJurisdictions = true } = {}) {
  const databases = new Databases();
  onTestFinished(() => databases.remove());
  const clock = new VirtualClock(1_800_000_000_000);
  const settings = settingsOf('', { hasJurisdictions });
  const objects = new SleepyObjects(clock, databases, settings);
  const found: [string, string, Placement][] = [];
  const peers = { ...objects.peers };
  objects.peers.ask = (shard, question, placement) => {
    found.push(['ask', shard, placement]);
    return peers.ask(shard, question, placement);
  };
  objects.peers.drop = (shard, placement) => {
    found.push(['drop', shard, placement]);
    return peers.drop(shard, placement);
  };
  const kernels = await loadKernels();
  const connection = new Connection(
    new ClientGateway({
      cluster: CLUSTER,
      settings,
      metadata: new SharedMetadata(CLUSTER),
      kernels,
      codecs: nodeCodecs(kernels),
      clock,
      open: (shard, greeting, events) => {
        found.push(['link', shard, greeting.placement]);
        return objects.object(shard).link(greeting, events);
      },
    }),
  );
  const done = async <T>(promise: Promise<T>): Promise<T> => {
    await clock.advance(2_000);
    return promise;
  };
  const create = async (name: string, configs: Readonly<Record<string, string>>) => {
    const topic = { name, numPartitions: 1, replicationFactor: -1, assignments: [] };
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
    const request = { topics: [{ ...topic, configs: entries }] };
    const { topics } = await done(connection.ask(createTopicsApi, 7, request));
    return topics[0] ?? { topicId: '', errorCode: -1, errorMessage: null };
  };
  return { connection, kernels, found, done, create };
}

test("a topic's partitions are looked for where the topic says, whoever asks", async () => {
  const { connection, kernels, found, done, create } = await world();
  const { topicId, errorCode } = await create('berlin', IN_BERLIN);
  expect(errorCode).toBe(0);
  const shard = `d/${topicId}/0`;
  const transactionalId = 'x';
  await done(connection.ask(findCoordinatorApi, 2, { key: transactionalId, keyType: 1 }));
  const about = { transactionalId, transactionTimeoutMs: 60_000 };
  const { producerId, producerEpoch } = await done(connection.ask(initProducerIdApi, 3, about));
  const of = { v3AndBelowTransactionalId: transactionalId, v3AndBelowProducerId: producerId };
  const topics = [{ name: 'berlin', partitions: [0] }];
  const asked = { ...of, v3AndBelowProducerEpoch: producerEpoch, v3AndBelowTopics: topics };
  await done(connection.ask(addPartitionsToTxnApi, 3, asked));
  const batch = { producerId, producerEpoch, baseSequence: 0, isTransactional: true };
  const record = { value: new Uint8Array(3), timestamp: 0 };
  const records = buildBatch(kernels, { records: [record], ...batch });
  const topicData = [{ name: 'berlin', partitionData: [{ index: 0, records }] }];
  const produce = { transactionalId, acks: -1, timeoutMs: 1_000, topicData };
  const { responses } = await done(connection.ask(produceApi, 7, produce));
  expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
  const end = { transactionalId, producerId, producerEpoch, committed: true };
  expect(await done(connection.ask(endTxnApi, 3, end))).toMatchObject({ errorCode: 0 });
  await done(connection.ask(deleteTopicsApi, 5, { topicNames: ['berlin'], timeoutMs: 1_000 }));
  const ours = found.filter(([, to]) => to === shard);
  expect(new Map(ours.map(([how, , placement]) => [how, placement]))).toEqual(
    new Map<string, Placement>([
      ['link', BERLIN],
      ['ask', BERLIN],
      ['drop', { jurisdiction: 'eu' }],
    ]),
  );
  const others = found.filter(([, to]) => to !== shard).map(([, , placement]) => placement);
  expect(new Set(others.map((each) => JSON.stringify(each)))).toEqual(new Set(['{}']));
});

test('a jurisdiction is said when a topic is created, and stays; a hint may change, for what is new', async () => {
  const { connection, done, create } = await world();
  await create('berlin', IN_BERLIN);
  await create('plain', {});
  const alter = async (resourceName: string, name: string, value: string, configOperation = 0) => {
    const configs = [{ name, configOperation, value }];
    const resources = [{ resourceType: TOPIC_RESOURCE, resourceName, configs }];
    const answer = await done(
      connection.ask(incrementalAlterConfigsApi, 1, { resources, validateOnly: false }),
    );
    return answer.responses[0];
  };
  for (const [topic, value] of [
    ['berlin', 'us'],
    ['plain', 'eu'],
  ] as const)
    expect(await alter(topic, 'milena.jurisdiction', value)).toMatchObject({
      errorCode: INVALID_CONFIG,
      errorMessage: expect.stringContaining('Create another topic, and copy the records.'),
    });
  expect(await alter('berlin', 'milena.jurisdiction', '', 1)).toMatchObject({ errorCode: INVALID_CONFIG });
  expect(await alter('berlin', 'milena.jurisdiction', 'eu')).toMatchObject({ errorCode: 0 });
  expect(await alter('berlin', 'milena.location.hint', 'eeur')).toMatchObject({ errorCode: 0 });
  expect(await alter('berlin', 'retention.ms', '1000')).toMatchObject({ errorCode: 0 });
});

test('where there are no jurisdictions a topic cannot have one', async () => {
  const { create } = await world({ hasJurisdictions: false });
  expect(await create('berlin', IN_BERLIN)).toMatchObject({
    errorCode: INVALID_CONFIG,
    errorMessage: expect.stringContaining('only Cloudflare keeps objects in a jurisdiction'),
  });
  expect(await create('near', { 'milena.location.hint': 'weur' })).toMatchObject({ errorCode: 0 });
});
