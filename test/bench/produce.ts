import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { deleteTopicsApi } from '../../src/wire/apis/20-delete-topics.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { Connection } from '../crash/connection.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { BENCH_TOPIC, type Source, freshBatches, oneBatch } from './batches.ts';
import { report } from './harness.ts';
import { startPeer } from './peers.ts';
import { RawConnection } from './raw-driver.ts';
import { type Round, oneRound, perSecond, reportRounds, undisturbed } from './rounds.ts';

/** So many count at least; of what has a bar `TURNS` times as many are measured. */
const ROUNDS = 16;
const TURNS = 4;
/** Before them: a broker lives long, and V8 compiles what it does for the first seconds. The sink warms up too. */
const WARM_UP_ROUNDS = 32;
const ROUND_BYTES = 64 * 1024 * 1024;
const IN_FLIGHT = 128;

export async function createBenchTopic(connection: RawConnection): Promise<void> {
  const before = connection.responses;
  const topics = [{ name: BENCH_TOPIC }];
  await connection.write(encodeRequest(metadataApi, 5, { correlationId: 0, clientId: 'bench' }, { topics }));
  await connection.until(() => connection.responses > before);
}

/** Sends `count` requests, at most `IN_FLIGHT` unanswered; resolves when all are answered. */
export async function pipeline(connection: RawConnection, source: Source, count: number): Promise<void> {
  const end = connection.responses + count;
  for (let sent = 0; sent < count; sent++) {
    const first = end - count + sent - IN_FLIGHT;
    if (connection.responses <= first) await connection.until(() => connection.responses > first);
    await connection.write(source());
  }
  await connection.until(() => connection.responses >= end);
}

/**
 * Leaves the kernel so many bytes of free memory that has been used before. A virtual machine's host takes free memory
 * back and gives it again page by page, up to fifteen times as slowly as a file is written into it: without this the
 * host would be measured. For the same reason what a round has written goes before the next one. The sink writes
 * nothing and needs none.
 */
function touchPageCache(directory: string, sizeBytes: number): void {
  const path = join(directory, 'touched');
  writeFileSync(path, Buffer.alloc(sizeBytes, 1));
  rmSync(path);
}

/** Resolves when its files are gone. */
async function deleteBenchTopic(port: number, directory: string): Promise<void> {
  const connection = await Connection.open(port);
  await connection.request(deleteTopicsApi, 1, { topicNames: [BENCH_TOPIC], timeoutMs: 60_000 });
  connection.close();
  while (readdirSync(directory).some((name) => name.startsWith(BENCH_TOPIC))) await setTimeout(1);
}

interface Case {
  bench: string;
  source: Source;
  flush: 'never' | 'always';
  bar?: { value: number; ratio: number };
}

/**
 * 1 GB of 1 KB records in 64 KB batches, beside a bare TCP sink that answers and gets the same from the same driver,
 * in turns. Batches are made as they are sent, as a producer's are; what one batch sent again and again gives, with an
 * idle driver, is reported too.
 */
export async function run(): Promise<void> {
  const bench = 'produce 1 KB records in 64 KB batches, 1 GB';
  const fresh = await freshBatches();
  const peer = await startPeer('sink');
  const sink = await RawConnection.open(peer);
  try {
    const bar = { value: 250, ratio: 0.7 };
    await produce({ bench: `${bench}, flush=never`, source: fresh, flush: 'never', bar }, sink);
    await produce({ bench: `${bench}, flush=always`, source: fresh, flush: 'always' }, sink);
    const same = await oneBatch();
    await produce(
      { bench: `${bench}, flush=never, one batch again and again`, source: same, flush: 'never' },
      sink,
    );
  } finally {
    sink.close();
    peer.stop();
  }
}

async function produce({ bench, source, flush, ...more }: Case, sink: RawConnection): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const broker = await BrokerProcess.start(['--data', directory, '--flush', flush]);
  const connection = await RawConnection.open(broker.ready.kafka);
  const requestBytes = source().length;
  const perRound = Math.ceil(ROUND_BYTES / requestBytes);
  const bytes = perRound * requestBytes;
  /** @returns the megabytes. */
  const send = async (to: RawConnection) => {
    await pipeline(to, source, perRound);
    return bytes / 1e6;
  };
  const ours = async () => {
    await createBenchTopic(connection);
    touchPageCache(directory, 2 * bytes);
    const rate = await perSecond(() => send(connection));
    await deleteBenchTopic(broker.ready.kafka.port, directory);
    return rate;
  };
  const theirs = () => perSecond(() => send(sink));
  const all: Round[] = [];
  const measured = more.bar === undefined ? ROUNDS : TURNS * ROUNDS;
  while (all.length < WARM_UP_ROUNDS + measured) all.push(await oneRound(ours, theirs));
  connection.close();
  const stopped = await broker.stop();
  rmSync(directory, { recursive: true });

  const rounds = all.slice(WARM_UP_ROUNDS);
  const figure = { unit: 'MB/s', peer: 'bare TCP sink that answers' };
  reportRounds({ ...figure, bench, ...more }, undisturbed(rounds, ROUNDS));
  if (measured > ROUNDS) reportRounds({ ...figure, bench: `${bench}: all rounds` }, rounds);
  if (flush === 'always') {
    const seconds = all.reduce((sum, { rate }) => sum + bytes / 1e6 / rate, 0);
    report({ bench: `${bench}: flushes`, value: (stopped?.commitRounds ?? 0) / seconds, unit: '1/s' });
  }
}
