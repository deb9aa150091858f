import { setImmediate as turn } from 'node:timers/promises';
import { MemoryLogStore } from '../../../src/log/memory-store.ts';
import { produceApi } from '../../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../../src/wire/apis/01-fetch.ts';
import { metadataApi } from '../../../src/wire/apis/03-metadata.ts';
import { encodeRequest } from '../../../src/wire/frame.ts';
import type { Api } from '../../../src/wire/schema.ts';
import { batch } from '../../gateway/harness.ts';
import type { SeededRandom } from '../../support/random.ts';
import { bodyOf } from '../bodies.ts';
import { damage, randomBytes } from '../damage.ts';
import { type Target, mustHold } from '../target.ts';
import { type Client, Home } from './home.ts';

const TOPIC = 'fuzz-topic';
/** Topics and groups that came with the cases go, so that the last case is as fast as the first. */
const HOME_LASTS_CASES = 2_000;
const TURNS_A_CASE = 3;
const LONG_MS = 60_000;
const REQUESTS_MAX = 4;

let home: Home | undefined;
let witness: Client | undefined;
let cases = 0;
let topicId = '';

/** A byte stream of one client into a whole broker: it is answered or closed, and another client never notices. */
export const streams: Target = {
  name: 'streams',
  share: 6,
  make(random) {
    const frames = Array.from({ length: random.integer(1, REQUESTS_MAX) }, () => frame(random));
    const stream = new Uint8Array(Buffer.concat(frames));
    return random.chance(0.1) ? damage(stream, random) : stream;
  },
  async check(stream) {
    const { here, other } = await ready();
    const client = here.client();
    for (let at = 0; at < stream.length; at += 1_000) client.send(stream.slice(at, at + 1_000));
    for (let turns = 0; turns < TURNS_A_CASE; turns++) await turn();
    here.pass(LONG_MS);
    await turn();
    client.hangUp();
    await works(other);
  },
  async close() {
    await home?.close();
    home = undefined;
  },
};

/** A message with its size, mostly of an API that is served, with names that exist. */
function frame(random: SeededRandom): Uint8Array {
  const handler = random.pick([...(home?.core.gateway.handlers ?? [])]);
  if (handler === undefined) return randomBytes(random, random.integer(0, 40));
  const { api } = handler;
  const version = random.integer(api.versions.min, api.versions.max);
  const header = { correlationId: random.integer(0, 100), clientId: 'fuzz' };
  const bytes = encodeRequest(
    api as Api,
    version,
    header,
    bodyOf(api.request, version, random, hint) as never,
  );
  if (random.chance(0.5)) return bytes;
  const hurt = damage(bytes.slice(4), random);
  const size = new Uint8Array(4);
  new DataView(size.buffer).setInt32(0, hurt.length);
  return new Uint8Array(Buffer.concat([size, hurt]));
}

const NAMES: Readonly<Record<string, (random: SeededRandom) => unknown>> = {
  topic: () => TOPIC,
  name: (random) => random.pick([TOPIC, TOPIC, `made-${random.integer(0, 50)}`]),
  topicId: () => topicId,
  groupId: (random) => `group-${random.integer(0, 5)}`,
  group: (random) => `group-${random.integer(0, 5)}`,
  partition: (random) => random.integer(0, 2),
  partitionIndex: (random) => random.integer(0, 2),
  index: (random) => random.integer(0, 2),
  records: (random) => drawRecords(random),
  acks: (random) => random.pick([-1, 0, 1]),
  transactionalId: (random) => (random.chance(0.1) ? 'tx' : null),
  sessionTimeoutMs: (random) => random.pick([6_000, 10_000, 1]),
  numPartitions: (random) => random.pick([-1, 1, 3]),
  replicationFactor: () => 1,
};

function hint(name: string, random: SeededRandom): unknown {
  return random.chance(0.8) ? NAMES[name]?.(random) : undefined;
}

function drawRecords(random: SeededRandom): Uint8Array {
  const made = batch(['a', 'b'], { producerId: random.pick([-1, 1]), producerEpoch: 0, baseSequence: 0 });
  return random.chance(0.2) ? damage(made, random) : made;
}

async function ready(): Promise<{ here: Home; other: Client }> {
  if (home === undefined || witness === undefined || ++cases % HOME_LASTS_CASES === 0) {
    await home?.close();
    home = await Home.open(new MemoryLogStore());
    witness = home.client();
    await renew(witness);
  }
  return { here: home, other: witness };
}

/** The topic may have been deleted: whoever asks for it makes it again. */
async function renew(client: Client): Promise<void> {
  for (;;) {
    const { topics } = await client.ask(metadataApi, 12, { topics: [{ name: TOPIC }] });
    topicId = topics[0]?.topicId ?? '';
    if (topics[0]?.errorCode === 0) return;
  }
}

async function works(client: Client): Promise<void> {
  await renew(client);
  const records = batch(['witness']);
  const produced = await client.ask(produceApi, 9, {
    acks: -1,
    timeoutMs: 5_000,
    topicData: [{ name: TOPIC, partitionData: [{ index: 0, records }] }],
  });
  const { errorCode, baseOffset } = produced.responses[0]?.partitionResponses[0] ?? {};
  mustHold(errorCode === 0, () => `another client's produce was answered with error ${errorCode}`);
  const fetched = await client.ask(fetchApi, 11, {
    maxWaitMs: 0,
    minBytes: 1,
    topics: [
      {
        topic: TOPIC,
        partitions: [{ partition: 0, fetchOffset: baseOffset ?? 0, partitionMaxBytes: 1 << 20 }],
      },
    ],
  });
  const size = fetched.responses[0]?.partitions[0]?.records?.length;
  mustHold(size === records.length, () => `another client reads ${size} bytes of ${records.length} it wrote`);
}
