import { SegmentStore } from '../../../src/segments/store.ts';
import { InvariantError } from '../../../src/model/assert.ts';
import { produceApi } from '../../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../../src/wire/apis/01-fetch.ts';
import { offsetCommitApi } from '../../../src/wire/apis/08-offset-commit.ts';
import { findCoordinatorApi } from '../../../src/wire/apis/10-find-coordinator.ts';
import { createTopicsApi } from '../../../src/wire/apis/19-create-topics.ts';
import { batch } from '../../gateway/harness.ts';
import { wasm } from '../../kernels/instances.ts';
import { MemoryFiles } from '../../storage/memory-files.ts';
import { damage } from '../damage.ts';
import { SeededRandom } from '../../support/random.ts';
import { type Target, mustHold } from '../target.ts';
import { type Client, Home, IDENTITY } from './home.ts';

const TOPIC = 'kept';
const GROUP = 'group';
const BATCHES = 60;
const FETCHES_MAX = 2 * BATCHES + 10;

/** What is done to a directory: which of the prepared ones, which seed the damage is drawn from. */
const PLAN_BYTES = 5;

let prepared: readonly MemoryFiles[] | undefined;

function storeOn(files: MemoryFiles): Promise<SegmentStore> {
  return SegmentStore.open({
    files,
    directory: '/data',
    kernels: wasm,
    flush: 'always',
    identity: IDENTITY,
    tailBytes: 0,
  });
}

/** A directory with logs of several segments, a group and its snapshots; one stopped cleanly, one killed. */
async function prepare(): Promise<readonly MemoryFiles[]> {
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
  return [files, killed];
}

/** A data directory with damage in a file or two: it is refused with words, or what it serves comes to an end. */
export const directories: Target = {
  name: 'directories',
  share: 0.4,
  make: (random) => Uint8Array.from({ length: PLAN_BYTES }, () => random.integer(0, 255)),
  async check(plan) {
    prepared ??= await prepare();
    const [which = 0, ...seed] = plan;
    const random = new SeededRandom(seed.reduce((sum, byte) => sum * 256 + byte, 0));
    const files = (prepared[which % prepared.length] as MemoryFiles).crash({ power: false });
    for (let left = random.integer(1, 2); left > 0; left--) {
      const path = random.pick(files.paths());
      files.replace(path, damage(files.bytes(path), random));
    }
    const home = await opened(files);
    if (home === undefined) return;
    await readAll(home.client());
    await home.close().catch(mayFail);
  },
};

async function opened(files: MemoryFiles): Promise<Home | undefined> {
  let store: SegmentStore | undefined;
  try {
    store = await storeOn(files);
    return await Home.open(store);
  } catch (error) {
    mayFail(error);
    await store?.close().catch(mayFail);
    return undefined;
  }
}

/** Damage is met with words for people; a slip of ours is another kind of error. */
function mayFail(error: unknown): void {
  const isSlip =
    error instanceof InvariantError || error instanceof TypeError || error instanceof ReferenceError;
  if (isSlip || !(error instanceof Error)) throw error;
  mustHold(error.message.length > 10, () => `an error without words: ${error.name}`);
}

/** From the start to the end, as a client reads: each answer brings it further, or says what is wrong. */
async function readAll(client: Client): Promise<void> {
  let fetchOffset = 0;
  for (let fetches = 0; fetches < FETCHES_MAX; fetches++) {
    const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 100_000 }];
    const answer = await client.ask(fetchApi, 11, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topic: TOPIC, partitions }],
    });
    const { errorCode, records } = answer.responses[0]?.partitions[0] ?? {};
    if (errorCode !== 0 || !records?.length) return;
    const next = endOf(records);
    mustHold(next > fetchOffset, () => `a fetch at ${fetchOffset} brings a reader to ${next}`);
    fetchOffset = next;
  }
}

/** One past the last offset of what was fetched, or of its first batch when a client cannot read on. */
function endOf(records: Uint8Array): number {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  return Number(view.getBigInt64(0)) + view.getInt32(23) + 1;
}
