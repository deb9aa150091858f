import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKernels } from '../../src/kernels/load.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import { encodeRequest } from '../../src/wire/frame.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { median, report } from './harness.ts';
import { type Peer, startPeer } from './peers.ts';
import { RawConnection } from './raw-driver.ts';

const ROUNDS = 16;
const ROUND_BYTES = 64 * 1024 * 1024;
const RECORD_BYTES = 1024;
const RECORDS_PER_BATCH = 63;
const IN_FLIGHT = 128;
const TOPIC = 'bench';

/** A Produce request of one 64 KB batch of 1 KB records, as bytes to send again and again. */
export async function produceRequest(): Promise<Uint8Array> {
  const kernels = await loadKernels();
  const timestamp = Date.now();
  const records = Array.from({ length: RECORDS_PER_BATCH }, (_, i) => ({
    key: null,
    value: new Uint8Array(RECORD_BYTES - 12).fill(i),
    timestamp,
  }));
  const partitionData = [{ index: 0, records: buildBatch(kernels, { records }) }];
  const topicData = [{ name: TOPIC, partitionData }];
  return encodeRequest(
    produceApi,
    7,
    { correlationId: 1, clientId: 'bench' },
    { acks: -1, timeoutMs: 60_000, topicData },
  );
}

export async function createBenchTopic(connection: RawConnection): Promise<void> {
  const before = connection.responses;
  const topics = [{ name: TOPIC }];
  await connection.write(encodeRequest(metadataApi, 5, { correlationId: 0, clientId: 'bench' }, { topics }));
  await connection.until(() => connection.responses > before);
}

/** Sends `count` requests, at most `IN_FLIGHT` unanswered; resolves when all are answered. */
export async function pipeline(connection: RawConnection, request: Uint8Array, count: number): Promise<void> {
  const end = connection.responses + count;
  for (let sent = 0; sent < count; sent++) {
    const first = end - count + sent - IN_FLIGHT;
    if (connection.responses <= first) await connection.until(() => connection.responses > first);
    await connection.write(request);
  }
  await connection.until(() => connection.responses >= end);
}

async function megabytesPerSecond(bytes: number, work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return bytes / 1e3 / (performance.now() - startMs);
}

async function toSink(peer: Peer, request: Uint8Array, count: number): Promise<void> {
  const connection = await RawConnection.open(peer, false);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(request.length * count));
  await connection.write(size);
  for (let sent = 0; sent < count; sent++) await connection.write(request);
  await connection.until(() => connection.receivedBytes > 0);
  connection.close();
}

/** 1 GB of 1 KB records in 64 KB batches, beside a bare TCP sink, in turns; then what `flush=always` does. */
export async function run(): Promise<void> {
  const request = await produceRequest();
  const sink = await startPeer('sink');
  try {
    await produce(request, sink, 'never');
    await produce(request, sink, 'always');
  } finally {
    sink.stop();
  }
}

async function produce(request: Uint8Array, sink: Peer, flush: 'never' | 'always'): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const broker = await BrokerProcess.start(['--data', directory, '--flush', flush]);
  const connection = await RawConnection.open(broker.ready.kafka);
  await createBenchTopic(connection);
  const perRound = Math.ceil(ROUND_BYTES / request.length);
  const bytes = perRound * request.length;
  const rates: number[] = [];
  const sinkRates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rates.push(await megabytesPerSecond(bytes, () => pipeline(connection, request, perRound)));
    sinkRates.push(await megabytesPerSecond(bytes, () => toSink(sink, request, perRound)));
  }
  connection.close();
  const stopped = await broker.stop();
  rmSync(directory, { recursive: true });

  const bench = `produce 1 KB records in 64 KB batches, 1 GB, flush=${flush}`;
  const ratio = median(rates.map((rate, i) => rate / (sinkRates[i] ?? 1)));
  const bar = flush === 'never' ? { bar: { value: 150, ratio: 0.5 } } : {};
  report({ bench, value: median(rates), unit: 'MB/s', peer: 'bare TCP sink', ratio, ...bar });
  if (flush === 'always') {
    const seconds = rates.reduce((sum, rate) => sum + bytes / 1e6 / rate, 0);
    report({ bench: `${bench}: flushes`, value: (stopped?.commitRounds ?? 0) / seconds, unit: '1/s' });
  }
}
