import { join } from 'node:path';
import { SegmentStore } from '../../../src/segments/store.ts';
import { produceApi } from '../../../src/wire/apis/00-produce.ts';
import { offsetCommitApi } from '../../../src/wire/apis/08-offset-commit.ts';
import { findCoordinatorApi } from '../../../src/wire/apis/10-find-coordinator.ts';
import { createTopicsApi } from '../../../src/wire/apis/19-create-topics.ts';
import { batch } from '../../gateway/harness.ts';
import { wasm } from '../../kernels/instances.ts';
import { MemoryFiles } from '../../storage/memory-files.ts';
import { inMemory } from '../../storage/stored-directory.ts';
import { Home, IDENTITY } from './home.ts';

export const DIRECTORY = '/data';
export const GROUP = 'group';
const TOPIC = 'kept';
const BATCHES = 60;
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const FIXTURES = join(import.meta.dirname, '../../fixtures');

export interface Prepared {
  files: MemoryFiles;
  /** A recovery point says how far its metadata log was flushed: a cut cannot pass for a torn write. */
  knowsItsEnd: boolean;
  topics: readonly string[];
}

export function storeOn(files: MemoryFiles, onWarning?: (message: string) => void): Promise<SegmentStore> {
  const common = { directory: DIRECTORY, kernels: wasm, identity: IDENTITY };
  return SegmentStore.open({
    files,
    ...common,
    flush: 'always',
    tailBytes: 0,
    ...(onWarning && { onWarning }),
  });
}

/** Directories to damage: one stopped cleanly, one killed, one of our first format, one of Kafka's. */
export async function prepare(): Promise<readonly Prepared[]> {
  const compat = CODECS.map((codec) => `compat-${codec}`);
  const fixture = (name: string) => inMemory(join(FIXTURES, name, 'data'), DIRECTORY);
  const { stopped, killed } = await written();
  return [
    { files: stopped, knowsItsEnd: true, topics: [TOPIC] },
    { files: killed, knowsItsEnd: false, topics: [TOPIC] },
    { files: await fixture('milena-format-1'), knowsItsEnd: true, topics: compat },
    {
      files: await fixture('kafka-4.3.1'),
      knowsItsEnd: false,
      topics: [...compat, 'transactions-committed'],
    },
  ];
}

/** Logs of several segments, a group and its snapshots: as a clean stop and as a power cut leave them. */
async function written(): Promise<{ stopped: MemoryFiles; killed: MemoryFiles }> {
  const files = new MemoryFiles();
  const home = await Home.open(await storeOn(files));
  const client = home.client();
  const configs = [{ name: 'segment.bytes', value: String(1024 * 1024) }];
  await client.ask(createTopicsApi, 5, {
    topics: [{ name: TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs }],
  });
  while ((await client.ask(findCoordinatorApi, 3, { key: GROUP })).errorCode !== 0);
  for (let number = 0; number < BATCHES; number++) {
    const records = batch([new Uint8Array(40_000).fill(number)], {
      producerId: 7,
      producerEpoch: 0,
      baseSequence: number,
    });
    const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records }] }];
    await client.ask(produceApi, 9, { acks: -1, timeoutMs: 5_000, topicData });
    const partitions = [{ partitionIndex: 0, committedOffset: number, committedMetadata: '' }];
    await client.ask(offsetCommitApi, 8, { groupId: GROUP, topics: [{ name: TOPIC, partitions }] });
  }
  const killed = files.crash({ power: true });
  await home.close();
  return { stopped: files, killed };
}
