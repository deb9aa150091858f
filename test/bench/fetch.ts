import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchApi } from '../../src/wire/apis/01-fetch.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { RECORDS_PER_BATCH, oneBatch } from './batches.ts';
import { median, report } from './harness.ts';
import { type Peer, startPeer } from './peers.ts';
import { createBenchTopic, pipeline } from './produce.ts';
import { RawConnection } from './raw-driver.ts';

const ROUNDS = 16;
/** Before them, of other data: a broker lives long, and V8 compiles what a fetch does after thousands of them. */
const WARM_UP_ROUNDS = 96;
const FETCH_BYTES = 1024 * 1024;
/** Of 64 KB. */
const ROUND_BATCHES = 1024;
const IN_FLIGHT = 4;

/** Reads `[from, to)` in fetches of up to 1 MB, several at a time: the driver knows where each batch begins. */
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
  return connection.receivedBytes - before;
}

async function readFile(peer: Peer, range: { path: string; from: number; bytes: number }): Promise<void> {
  const connection = await RawConnection.open(peer, false);
  await connection.write(Buffer.from(JSON.stringify(range)));
  await connection.until(() => connection.receivedBytes >= range.bytes);
  connection.close();
}

/** 1 GB that a broker has not in memory and has not read before, beside a server that sends the same file, in turns. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const args = ['--data', directory, '--flush', 'never'];
  const writer = await BrokerProcess.start(args);
  const producer = await RawConnection.open(writer.ready.kafka);
  await createBenchTopic(producer);
  await pipeline(producer, await oneBatch(), 2 * ROUNDS * ROUND_BATCHES);
  producer.close();
  await writer.stop();

  const broker = await BrokerProcess.start(args);
  const peer = await startPeer('files');
  const log = join(directory, 'bench-0');
  const path = join(
    log,
    readdirSync(log)
      .filter((name) => name.endsWith('.log'))
      .toSorted()[0] ?? '',
  );
  try {
    const connection = await RawConnection.open(broker.ready.kafka);
    const rates: number[] = [];
    const ratios: number[] = [];
    const roundOffsets = ROUND_BATCHES * RECORDS_PER_BATCH;
    const roundBytes = Math.floor(statSync(path).size / ROUNDS);
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      const isWarmUp = round < WARM_UP_ROUNDS;
      const number = (round % ROUNDS) + (isWarmUp ? 0 : ROUNDS);
      const start = performance.now();
      const bytes = await read(connection, number * roundOffsets, (number + 1) * roundOffsets);
      const rate = bytes / 1e3 / (performance.now() - start);
      const peerStart = performance.now();
      await readFile(peer, { path, from: (round % ROUNDS) * roundBytes, bytes: roundBytes });
      const peerRate = roundBytes / 1e3 / (performance.now() - peerStart);
      if (isWarmUp) continue;
      rates.push(rate);
      ratios.push(rate / peerRate);
    }
    const bench = 'fetch of data not in memory, 1 GB';
    report({
      bench,
      value: median(rates),
      unit: 'MB/s',
      peer: 'bare file-to-socket server',
      ratio: median(ratios),
      bar: { value: 1_500, ratio: 0.6 },
    });
    // What it can do when the machine does nothing else meanwhile.
    report({ bench: `${bench}: the best round`, value: Math.max(...rates), unit: 'MB/s' });
    connection.close();
  } finally {
    peer.stop();
    await broker.stop();
    rmSync(directory, { recursive: true });
  }
}
