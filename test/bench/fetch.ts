import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { RECORDS_PER_BATCH, oneBatch } from './batches.ts';
import { type Peer, startPeer } from './peers.ts';
import { createBenchTopic, pipeline } from './produce.ts';
import { RawConnection } from './raw-driver.ts';
import { type Round, oneRound, perSecond, reportRounds, undisturbed } from './rounds.ts';

/** So many count at least; `TURNS` times as many are measured. */
const ROUNDS = 16;
const TURNS = 4;
/** Before them, of other data: a broker lives long, and V8 compiles what a fetch does after thousands of them. */
const WARM_UP_ROUNDS = 96;
const FETCH_BYTES = 1024 * 1024;
/** Of 64 KB. */
const ROUND_BATCHES = 1024;
const IN_FLIGHT = 4;

/**
 * Reads `[from, to)` in fetches of up to 1 MB, several at a time: the driver knows where each batch begins.
 * @returns the megabytes.
 */
async function read(connection: RawConnection, from: number, to: number): Promise<number> {
  const step = RECORDS_PER_BATCH * 15;
  const before = connection.receivedBytes;
  const first = connection.responses;
  let sent = 0;
  for (let offset = from; offset < to; offset += step) {
    const waitFor = first + sent - IN_FLIGHT;
    if (connection.responses <= waitFor) await connection.until(() => connection.responses > waitFor);
    const partitions = [{ partition: 0, fetchOffset: offset, partitionMaxBytes: FETCH_BYTES }];
    const body = {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      topics: [{ topic: 'bench', partitions }],
    };
    await connection.write(encodeRequest(fetchApi, 11, { correlationId: sent, clientId: 'bench' }, body));
    sent++;
  }
  await connection.until(() => connection.responses >= first + sent);
  return (connection.receivedBytes - before) / 1e6;
}

/** @returns the megabytes. */
async function readFile({ peer, path, partBytes: bytes }: Servers, part: number): Promise<number> {
  const connection = await RawConnection.open(peer, false);
  await connection.write(Buffer.from(JSON.stringify({ path, from: part * bytes, bytes })));
  await connection.until(() => connection.receivedBytes >= bytes);
  connection.close();
  return bytes / 1e6;
}

interface Servers {
  connection: RawConnection;
  peer: Peer;
  /** Of the log's first segment. */
  path: string;
  /** Of it in a round. */
  partBytes: number;
}

/** The second GB of the log, `turns` times, after the first has warmed the broker up. */
async function measure(servers: Servers, turns: number): Promise<Round[]> {
  const roundOffsets = ROUND_BATCHES * RECORDS_PER_BATCH;
  const round = (number: number) =>
    oneRound(
      () => perSecond(() => read(servers.connection, number * roundOffsets, (number + 1) * roundOffsets)),
      () => perSecond(() => readFile(servers, number % ROUNDS)),
    );
  for (let warmUp = 0; warmUp < WARM_UP_ROUNDS; warmUp++) await round(warmUp % ROUNDS);
  const rounds: Round[] = [];
  for (let turn = 0; turn < turns * ROUNDS; turn++) rounds.push(await round(ROUNDS + (turn % ROUNDS)));
  return rounds;
}

/**
 * 1 GB that a broker has written and has no longer in memory, then, by the next process, 1 GB that an earlier one left:
 * its checksums are looked at, once. Beside a server that sends the same file, in turns.
 */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const args = ['--data', directory, '--flush', 'never'];
  const peer = await startPeer('files');
  let broker = await BrokerProcess.start(args);
  try {
    let connection = await RawConnection.open(broker.ready.kafka);
    await createBenchTopic(connection);
    // Two rounds more than are read: a broker has the newest 64 MB in memory.
    await pipeline(connection, await oneBatch(), (2 * ROUNDS + 2) * ROUND_BATCHES);
    const log = join(directory, 'bench-0');
    const [first = ''] = readdirSync(log)
      .filter((name) => name.endsWith('.log'))
      .toSorted();
    const path = join(log, first);
    const file = { peer, path, partBytes: Math.floor(statSync(path).size / ROUNDS) };
    const rounds = await measure({ connection, ...file }, TURNS);
    const bench = 'fetch of data not in memory, 1 GB';
    const figure = { unit: 'MB/s', peer: 'bare file-to-socket server' };
    const bar = { value: 1_500, ratio: 0.6 };
    reportRounds({ ...figure, bench, bar }, undisturbed(rounds, ROUNDS));
    reportRounds({ ...figure, bench: `${bench}: all rounds` }, rounds);
    connection.close();
    await broker.stop();

    broker = await BrokerProcess.start(args);
    connection = await RawConnection.open(broker.ready.kafka);
    const left = await measure({ connection, ...file }, 1);
    const leftBar = { ratio: 0.6 };
    reportRounds({ ...figure, bench: 'fetch of what an earlier process left, 1 GB', bar: leftBar }, left);
    connection.close();
  } finally {
    peer.stop();
    await broker.stop();
    rmSync(directory, { recursive: true });
  }
}
