import { crc32c } from '@node-rs/crc32';
import { InvariantError } from '../../../src/model/assert.ts';
import { BatchHeader, HEADER_SIZE, forEachBatch } from '../../../src/records/header.ts';
import { fetchApi } from '../../../src/wire/apis/01-fetch.ts';
import { offsetFetchApi } from '../../../src/wire/apis/09-offset-fetch.ts';
import { initProducerIdApi } from '../../../src/wire/apis/22-init-producer-id.ts';
import { wasm } from '../../kernels/instances.ts';
import type { MemoryFiles } from '../../storage/memory-files.ts';
import { SeededRandom } from '../../support/random.ts';
import { damage } from '../damage.ts';
import { type Outcomes, type Target, kindOf, mustHold, sameBytes } from '../target.ts';
import { type Client, Home } from './home.ts';
import { GROUP, type Prepared, prepare, storeOn } from './prepared.ts';

/** A plan: which directory, then for each damage which file, whether it is sealed, and a seed. */
const HURT_BYTES = 6;
const HURTS_MAX = 2;
const SEALED = 0.4;
const FETCHES_MAX = 200;
/** After an error that a reload may mend: one for each batch that is found damaged when it is read, and more. */
const RETRIES_MAX = 6;
const RETRY_MS = 60_000;
const FETCH_BYTES = 100_000;
/** Where the leader epoch ends and the magic begins: what comes before no checksum covers. */
const MAGIC_AT = 16;
/** A start offset that changed hides what is below it, and its file has no checksum: nobody could tell. */
const UNTOLD = /log-start-offset-checkpoint$/;
const ANY_LOG =
  /(kept|compat-\w+|transactions-\w+|__consumer_offsets|__transaction_state)-\d+(\.[0-9a-f]{32}-stray)?/g;
const RECOVERY_POINTS = /recovery-point-offset-checkpoint$/;
/** With no recovery point a cut looks like a torn write, and the topics that were made behind it are not known. */
const TORN = /__cluster_metadata-0\/.*\.log$/;

let prepared: readonly Whole[] | undefined;

/** A directory, and what a client reads in it. */
interface Whole extends Prepared {
  served: ReadonlyMap<string, readonly Uint8Array[]>;
}

/**
 * A data directory with damage in a file or two: it is refused with words, or what it serves is what was written, and
 * an operator hears of what is not there. Damage behind right checksums is served as it is, up to an end.
 */
export const directories: Target = {
  name: 'directories',
  share: 0.6,
  bufferMaxBytes: 4 * 1024 * 1024,
  make(random) {
    const length = 1 + HURT_BYTES * random.integer(1, HURTS_MAX);
    const plan = Uint8Array.from({ length }, () => random.integer(0, 255));
    for (let at = 1; at < length; at += HURT_BYTES) plan[at + 1] = random.chance(SEALED) ? 1 : 0;
    return plan;
  },
  async check(plan) {
    prepared ??= await prepareAll();
    const whole = prepared[(plan[0] ?? 0) % prepared.length] as Whole;
    const files = whole.files.crash({ power: false });
    const hurts = Array.from({ length: Math.floor((plan.length - 1) / HURT_BYTES) }, (_, number) =>
      hurt(files, plan.subarray(1 + number * HURT_BYTES, 1 + (number + 1) * HURT_BYTES)),
    );
    const warnings: string[] = [];
    const home = await opened(files, warnings);
    if (typeof home === 'string') return [home];
    const { served, errors } = await readTopics(home, whole.topics);
    errors.push(...(await askGroup(home.client())));
    await home.close().catch(mayFail);
    const isTold = warnings.length > 0;
    if (hurts.every(({ isSealed }) => !isSealed)) compare(whole, { served, isTold, hurts });
    return [...warnings.map((warning) => kindOf(warning.replace(ANY_LOG, 'LOG'))), ...errors];
  },
};

async function prepareAll(): Promise<Whole[]> {
  const all: Whole[] = [];
  for (const each of await prepare()) {
    const home = await Home.open(await storeOn(each.files.crash({ power: false })));
    const { served, errors } = await readTopics(home, each.topics);
    mustHold(errors.length === 0, () => `a whole directory answers ${errors.join()}`);
    mustHold(
      [...served.values()].every(({ length }) => length > 0),
      () => 'a whole directory is empty',
    );
    await home.close();
    all.push({ ...each, served });
  }
  return all;
}

interface Hurt {
  path: string;
  /** Checksums are right again. */
  isSealed: boolean;
}

function hurt(files: MemoryFiles, plan: Uint8Array): Hurt {
  const view = new DataView(plan.buffer, plan.byteOffset, plan.byteLength);
  const paths = files.paths();
  const path = paths[view.getUint8(0) % paths.length] as string;
  const random = new SeededRandom(view.getUint32(2));
  const bytes = files.bytes(path);
  const sealed = view.getUint8(1) % 2 === 1 ? damagedBehindChecksum(path, bytes, random) : undefined;
  files.replace(path, sealed ?? damage(bytes, random));
  return { path, isSealed: sealed !== undefined };
}

/** Undefined for a file that has no checksum, or nothing behind one. */
function damagedBehindChecksum(
  path: string,
  bytes: Uint8Array,
  random: SeededRandom,
): Uint8Array | undefined {
  if (path.endsWith('.log')) return damagedBatch(bytes, random);
  if (path.endsWith('.snapshot')) return damagedSnapshot(bytes, random);
  return undefined;
}

function damagedBatch(log: Uint8Array, random: SeededRandom): Uint8Array | undefined {
  const batches: Uint8Array[] = [];
  forEachBatch(log, ({ bytes }) => batches.push(bytes));
  if (batches.length === 0) return undefined;
  const number = random.integer(0, batches.length - 1);
  const batch = batches[number] as Uint8Array;
  // The offsets stay, so that the batch is where a log may have it.
  const hurt = new Uint8Array(
    Buffer.concat([batch.slice(0, MAGIC_AT), damage(batch.slice(MAGIC_AT), random)]),
  );
  if (hurt.length < HEADER_SIZE) return undefined;
  new BatchHeader(hurt).seal(wasm, hurt.length);
  batches[number] = hurt;
  return new Uint8Array(Buffer.concat(batches));
}

const SNAPSHOT_CRC_AT = 2;
const SNAPSHOT_ENTRIES_AT = 6;

function damagedSnapshot(bytes: Uint8Array, random: SeededRandom): Uint8Array | undefined {
  // It may have been damaged before.
  if (bytes.length < SNAPSHOT_ENTRIES_AT) return undefined;
  const entries = damage(bytes.slice(SNAPSHOT_ENTRIES_AT), random);
  const hurt = new Uint8Array(Buffer.concat([bytes.subarray(0, SNAPSHOT_ENTRIES_AT), entries]));
  new DataView(hurt.buffer).setUint32(SNAPSHOT_CRC_AT, crc32c(entries));
  return hurt;
}

/** The words of a refusal when it does not open. */
async function opened(files: MemoryFiles, warnings: string[]): Promise<Home | string> {
  const store = await storeOn(files, (message) => warnings.push(message)).catch(mayFail);
  if (typeof store === 'string') return store;
  try {
    return await Home.open(store, warnings);
  } catch (error) {
    const words = mayFail(error);
    await store.close().catch(mayFail);
    return words;
  }
}

/** Damage is met with words for people; a slip of ours is another kind of error. */
function mayFail(error: unknown): string {
  const isSlip =
    error instanceof InvariantError ||
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    error instanceof RangeError;
  if (isSlip || !(error instanceof Error)) throw error;
  mustHold(error.message.length > 10, () => `an error without words: ${error.name}`);
  return kindOf(error.message);
}

interface Seen {
  served: ReadonlyMap<string, readonly Uint8Array[]>;
  isTold: boolean;
  hurts: readonly Hurt[];
}

/** What is served is what was written; what is missing was damaged, and told. */
function compare(whole: Whole, { served, isTold, hurts }: Seen): void {
  const after = `after damage in ${hurts.map(({ path }) => path).join(' and ')}`;
  for (const [topic, batches] of served) {
    const written = whole.served.get(topic) ?? [];
    const isWritten = (batch: Uint8Array) => written.some((other) => sameBatch(batch, other));
    mustHold(batches.every(isWritten), () => `${topic} serves a batch that nobody wrote ${after}`);
    const missing = written.filter((other) => !batches.some((batch) => sameBatch(batch, other)));
    if (missing.length === 0 || hurts.some(({ path }) => UNTOLD.test(path))) continue;
    const mayBeTorn = !whole.knowsItsEnd || hurts.some(({ path }) => RECOVERY_POINTS.test(path));
    const isOwn = hurts.some(({ path }) => path.includes(`/${topic}-0/`) || (mayBeTorn && TORN.test(path)));
    mustHold(isTold && isOwn, () => `${topic} lost ${missing.length} batches, told: ${isTold}, ${after}`);
  }
}

function sameBatch(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && sameBytes(left.subarray(MAGIC_AT), right.subarray(MAGIC_AT));
}

interface Read {
  served: Map<string, Uint8Array[]>;
  errors: string[];
}

async function readTopics(home: Home, topics: readonly string[]): Promise<Read> {
  const read: Read = { served: new Map(), errors: [] };
  for (const topic of topics) read.served.set(topic, await readAll(home, topic, read.errors));
  return read;
}

/** From the start to the end, as a client reads: each answer brings it further, or says what is wrong. */
async function readAll(home: Home, topic: string, errors: string[]): Promise<Uint8Array[]> {
  const client = home.client();
  const batches: Uint8Array[] = [];
  let fetchOffset = 0;
  let retries = 0;
  for (let fetches = 0; ; fetches++) {
    mustHold(fetches < FETCHES_MAX, () => `${topic} does not end`);
    const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: FETCH_BYTES }];
    const answer = await client.ask(fetchApi, 11, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topic, partitions }],
    });
    const { errorCode, records } = answer.responses[0]?.partitions[0] ?? {};
    if (errorCode !== 0) {
      errors.push(`Fetch: ${errorCode}`);
      if (++retries > RETRIES_MAX) return batches;
      home.pass(RETRY_MS);
      continue;
    }
    if (!records?.length) return batches;
    const before = fetchOffset;
    forEachBatch(records, ({ bytes, lastOffset }) => {
      batches.push(bytes.slice());
      fetchOffset = lastOffset + 1;
    });
    mustHold(fetchOffset > before, () => `a fetch at ${before} brings a reader to ${fetchOffset}`);
  }
}

/** What else stands in logs of the broker's own: positions of a group, ids of producers. */
async function askGroup(client: Client): Promise<Outcomes> {
  const { errorCode } = await client.ask(offsetFetchApi, 7, { groupId: GROUP, topics: null });
  const producer = await client.ask(initProducerIdApi, 4, {
    transactionalId: null,
    transactionTimeoutMs: 1_000,
  });
  return [`OffsetFetch: ${errorCode}`, `InitProducerId: ${producer.errorCode}`].filter(
    (outcome) => !outcome.endsWith(': 0'),
  );
}
