import { setImmediate as turn } from 'node:timers/promises';
import { MemoryLogStore } from '../../../src/log/memory-store.ts';
import { type Uuid, ZERO_UUID } from '../../../src/model/ids.ts';
import { produceApi } from '../../../src/wire/apis/00-produce.ts';
import { fetchApi } from '../../../src/wire/apis/01-fetch.ts';
import { metadataApi } from '../../../src/wire/apis/03-metadata.ts';
import { encodeRequest } from '../../../src/wire/frame.ts';
import { APIS } from '../../../src/wire/registry.ts';
import type { Api } from '../../../src/wire/schema.ts';
import { HANDLERS } from '../../../src/gateway/handlers/index.ts';
import { batch } from '../../gateway/harness.ts';
import type { SeededRandom } from '../../support/random.ts';
import { bodyOf } from '../bodies.ts';
import { damage } from '../damage.ts';
import { type Target, mustHold } from '../target.ts';
import { type Client, Home } from './home.ts';

const TOPIC = 'fuzz-topic';
/** Topics and groups that came with the cases go, so that the last case is as fast as the first. */
const HOME_LASTS_CASES = 2_000;
const TURNS_A_CASE = 3;
const LONG_MS = 60_000;
/** Longer than any client can ask to wait: times are int32. */
const LONGEST_MS = 2 ** 31;
const REQUESTS_MAX = 4;
const UNSERVED = 0.03;

let home: Home | undefined;
let witness: Client | undefined;
let cases = 0;
let topicId: Uuid = ZERO_UUID;

/** A byte stream of one client into a whole broker: it is answered or closed, and another client never notices. */
export const streams: Target = {
  name: 'streams',
  share: 20,
  bufferMaxBytes: 2 * 1024 * 1024,
  make(random) {
    const frames = Array.from({ length: random.integer(1, REQUESTS_MAX) }, () => frame(random));
    const stream = new Uint8Array(Buffer.concat(frames));
    return random.chance(0.1) ? damage(stream, random) : stream;
  },
  async check(stream) {
    const { here, other } = await ready();
    const before = reached(here);
    const client = here.client();
    for (let at = 0; at < stream.length; at += 1_000) client.send(stream.slice(at, at + 1_000));
    await passes(here, LONG_MS);
    if (!client.isAnswered) await passes(here, LONGEST_MS);
    mustHold(client.isAnswered, () => 'a request was never answered');
    client.hangUp();
    await works(other);
    holdsNothing(here);
    return [...reached(here)].flatMap(([outcome, count]) =>
      count > (before.get(outcome) ?? 0) ? outcome : [],
    );
  },
  async reset() {
    await home?.close();
    home = undefined;
  },
  close: () => streams.reset?.() ?? Promise.resolve(),
};

async function passes(here: Home, ms: number): Promise<void> {
  for (let turns = 0; turns < TURNS_A_CASE; turns++) await turn();
  here.pass(ms);
  await turn();
}

/** How often each API was answered with each error, and connections were closed for each reason. */
function reached({ core }: Home): Map<string, number> {
  const { answeredByApi, closedByReason } = core.gateway.counters;
  const counts = new Map<string, number>();
  for (const { api, errors } of answeredByApi.values())
    for (const [code, count] of errors) counts.set(`${api.name}: ${code}`, count);
  for (const [reason, count] of closedByReason) counts.set(`closed: ${reason}`, count);
  return counts;
}

/** Of a client that is gone nothing is kept. */
function holdsNothing({ core }: Home): void {
  const { connectionCount, unfinishedBytes, readCredit, parkedFetches } = core.gateway;
  const held = {
    connections: connectionCount - 1,
    unfinishedBytes,
    readBytes: readCredit.heldBytes,
    parkedFetches,
  };
  mustHold(
    Object.values(held).every((count) => count === 0),
    () => `it still holds ${JSON.stringify(held)}`,
  );
}

/** A message with its size, mostly of an API that is served, with names that exist. */
function frame(random: SeededRandom): Uint8Array {
  const api: Api = random.chance(UNSERVED) ? random.pick(APIS) : random.pick(HANDLERS).api;
  const version = random.integer(api.versions.min, api.versions.max);
  const header = { correlationId: random.integer(0, 100), clientId: 'fuzz' };
  const bytes = encodeRequest(api, version, header, bodyOf(api.request, version, random, hint) as never);
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
    topicId = topics[0]?.topicId ?? ZERO_UUID;
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
