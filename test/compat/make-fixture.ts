// `node test/compat/make-fixture.ts kafka|milena`: writes the directories of test/fixtures anew, with a real Kafka
// broker or with the Milena that is built. A directory of an older format is not made anew: that version left it.
import { cp, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kafka, type Message } from 'kafkajs';
import { CODEC } from '../../src/records/codecs.ts';
import { FORMAT_VERSION } from '../../src/segments/layout.ts';
import { ROOT } from '../cli/milena.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { KafkaBroker } from './kafka/broker.ts';
import { connectTo, readState } from './kafka/cluster-state.ts';
import { KAFKA_VERSION, missingKafka } from './kafka/toolchain.ts';
import { ABORTED, CODEC_NAMES, commit, topicOf, transact, useOwnCodecs } from './kafka/workload.ts';

const FIXTURES = join(ROOT, 'test', 'fixtures');
/** Records this far apart in time lie in segments of their own. */
const SEGMENT_MS = 1_000_000;
const FIRST_TIMESTAMP = 1_700_000_000_000;

const MAKERS: Record<string, () => Promise<void>> = {
  kafka: async () => {
    const why = await missingKafka();
    if (why !== undefined) throw new Error(why);
    await make(`kafka-${KAFKA_VERSION}`, async (directory, work) => {
      await KafkaBroker.format(directory, 'Zml4dHVyZS1vZi1rYWZrYQ');
      const broker = await KafkaBroker.start(directory, { 'offsets.topic.num.partitions': '2' });
      await transact(connectTo(broker.address));
      await work(broker.address);
      await broker.stop();
    });
  },
  milena: () =>
    make(`milena-format-${FORMAT_VERSION}`, async (directory, work) => {
      const broker = await BrokerProcess.start(['--data', directory]);
      await work(broker.address);
      await broker.stop();
    }),
};

const maker = MAKERS[process.argv[2] ?? ''];
if (maker === undefined) throw new Error(`name one of: ${Object.keys(MAKERS).join(', ')}`);
useOwnCodecs();
await maker();

async function make(
  name: string,
  run: (directory: string, work: (address: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'milena-fixture-'));
  const target = join(FIXTURES, name);
  let state = '';
  await run(scratch, async (address) => {
    await fillSmall(connectTo(address));
    state = JSON.stringify(await readState(address, { except: [ABORTED] }), null, 1);
  });
  await rm(target, { recursive: true, force: true });
  await cp(scratch, join(target, 'data'), { recursive: true });
  await shrink(join(target, 'data'));
  await writeFile(join(target, 'expected.json'), `${state}\n`);
  console.log(`${target}: ${(await readdir(join(target, 'data'))).length} entries`);
  await rm(scratch, { recursive: true });
}

/** A lock is a process's own; most groups' logs are empty; indexes that Kafka did not close are 10 MB of zeros. */
async function shrink(data: string): Promise<void> {
  await rm(join(data, '.lock'), { force: true });
  const isZero = async (path: string) => (await readFile(path)).every((byte) => byte === 0);
  for (const name of await readdir(data)) {
    const isEmptyGroups =
      name.startsWith('__consumer_offsets') && (await isZero(join(data, name, '00000000000000000000.log')));
    if (isEmptyGroups) await rm(join(data, name), { recursive: true });
  }
  for (const name of await readdir(data, { recursive: true })) {
    const path = join(data, name);
    if (name.endsWith('index') && (await isZero(path))) await truncate(path, 0);
  }
}

/** A few KB: every codec, several segments with index entries, a deleted topic, committed offsets. */
async function fillSmall(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = Object.entries({
    'segment.ms': String(SEGMENT_MS),
    'index.interval.bytes': '100',
  }).map(([name, value]) => ({ name, value }));
  const topics = CODEC_NAMES.map((codec) => ({ topic: topicOf(codec), numPartitions: 1, configEntries }));
  await admin.createTopics({ topics: [...topics, { topic: 'deleted' }], waitForLeaders: true });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const codec of CODEC_NAMES) {
    for (let send = 0; send < 6; send++) {
      const messages = Array.from({ length: 4 }, (_, number): Message => {
        return {
          key: number === 0 ? null : `k${number}`,
          value: number === 3 ? null : `${codec} ${send} ${number} ${'é'.repeat(20)}`,
          headers: number === 1 ? { send: String(send) } : {},
          timestamp: String(FIRST_TIMESTAMP + Math.floor(send / 3) * 2 * SEGMENT_MS + send * 10 + number),
        };
      });
      await producer.send({ topic: topicOf(codec), compression: CODEC[codec], messages });
    }
  }
  await producer.disconnect();
  await admin.deleteTopics({ topics: ['deleted'] });
  await admin.disconnect();
  await commit(kafka, { groupId: 'readers', topic: topicOf('none'), offsets: [17] });
}
