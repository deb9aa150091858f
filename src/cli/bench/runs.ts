import type { Client } from '../../client/client.ts';
import type { Producer, ProducerOptions } from '../../client/producer/producer.ts';
import { abortable } from '../../client/retry.ts';
import { Pace } from '../produce/pace.ts';
import type { Progress } from '../terminal/progress.ts';
import { Load } from './load.ts';
import type { Measured } from './result.ts';

export interface Setup {
  client: Client;
  topic: string;
  seed: number;
  records: number;
  /** Of a value. */
  size: number;
  producer: ProducerOptions;
  progress: Progress;
  signal: AbortSignal;
}

/** One record of so many is waited for, and timed. */
const SAMPLED_EVERY = 100;
const ARRIVE_WITHIN_MS = 30_000;

/** Writes them all. */
export async function measureProduce(setup: Setup): Promise<Measured> {
  const { client, seed, records, size, signal, progress } = setup;
  const producer = client.producer(setup.producer);
  const load = new Load({ seed, size });
  // The topic is known and a connection open before the clock starts.
  await producer.send(setup.topic, load.record(), { signal });
  const ms: number[] = [];
  const startedAtMs = performance.now();
  for (let at = 0; at < records; at++) {
    signal.throwIfAborted();
    await producer.write(setup.topic, load.record(), { signal });
    if (at % SAMPLED_EVERY > 0) continue;
    progress.add(SAMPLED_EVERY);
    const sentAtMs = performance.now();
    // One that fails makes the flush fail.
    void producer.send(setup.topic, load.record(), { signal }).then(
      () => ms.push(performance.now() - sentAtMs),
      () => {},
    );
  }
  await producer.flush({ signal });
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const sent = records + Math.ceil(records / SAMPLED_EVERY);
  return {
    bench: 'produce',
    seed,
    records: sent,
    bytes: sent * size,
    seconds,
    latency: { of: 'send to ack', ms },
  };
}

/** Writes them, which is not measured, and reads all there is. */
export async function measureConsume(setup: Setup): Promise<Measured> {
  const { client, topic, seed, signal, progress } = setup;
  await fill(setup);
  const ms: number[] = [];
  const counts = { records: 0, bytes: 0 };
  const startedAtMs = performance.now();
  let askedAtMs = startedAtMs;
  for await (const batch of client.read(topic, { live: false, signal }).batches()) {
    ms.push(performance.now() - askedAtMs);
    for (const record of batch) counts.bytes += record.valueBytes?.length ?? 0;
    counts.records += batch.length;
    progress.add(batch.length);
    askedAtMs = performance.now();
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  return { bench: 'consume', seed, ...counts, seconds, latency: { of: 'wait for a batch', ms } };
}

async function fill({ client, topic, seed, records, size, producer: options, signal }: Setup): Promise<void> {
  const producer = client.producer(options);
  const load = new Load({ seed, size });
  for (let at = 0; at < records; at++) {
    signal.throwIfAborted();
    await producer.write(topic, load.record(), { signal });
  }
  await producer.flush({ signal });
  await producer.close();
}

/** At a steady rate, each record timed from before it is sent to where it is read. */
export async function measureE2e(setup: Setup, rate: number): Promise<Measured> {
  const { client, topic, seed, size, signal } = setup;
  const ends = await client.admin.offsets.list(topic, { at: 'latest', signal });
  const from = ({ partition }: { partition: number }) =>
    ends.find((end) => end.partition === partition)?.offset ?? 0;
  const reader = client.read(topic, { from, signal });
  const run = { ...setup, sentAtMs: [] as number[], header: `milena-bench-${process.pid}` };
  const producer = client.producer(setup.producer);
  try {
    const arriving = arrivals(reader, run);
    arriving.catch(() => {});
    const startedAtMs = performance.now();
    await sendAt(rate, producer, run);
    await producer.flush({ signal });
    const late = AbortSignal.any([signal, AbortSignal.timeout(ARRIVE_WITHIN_MS)]);
    const ms = await abortable(arriving, late);
    const { length: records } = ms;
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const latency = { of: 'producer to consumer', ms };
    return { bench: 'e2e', seed, records, bytes: records * size, seconds, latency };
  } finally {
    reader.close();
  }
}

interface E2eRun extends Setup {
  /** By number, which stands in the header. */
  sentAtMs: number[];
  header: string;
}

async function sendAt(rate: number, producer: Producer, run: E2eRun): Promise<void> {
  const { topic, records, signal, progress, sentAtMs, header } = run;
  const load = new Load(run);
  const pace = new Pace(rate);
  for (let at = 0; at < records; at++) {
    await pace.next(signal);
    sentAtMs.push(performance.now());
    await producer.write(topic, { ...load.record(), headers: { [header]: `${at}` } }, { signal });
    progress.add(1);
  }
}

/** Records of others, on a topic that is not the bench's own, are passed over. */
async function arrivals(
  reader: ReturnType<Client['read']>,
  { records, sentAtMs, header }: E2eRun,
): Promise<number[]> {
  const ms: number[] = [];
  for await (const record of reader) {
    const nowMs = performance.now();
    const number = record.headers.find(({ key }) => key === header)?.value;
    if (!number) continue;
    ms.push(nowMs - (sentAtMs[Number(Buffer.from(number).toString())] ?? Number.NaN));
    if (ms.length === records) break;
  }
  return ms;
}
