import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { median, report } from './harness.ts';

/**
 * Records a second that 8 producers write of 1 KB each, 100 a transaction, beside 8 idempotent ones that await each
 * hundred; and the same where a transaction takes 100 ms. The same broker in a process of its own, in turns.
 */
const PRODUCERS = 8;
const RECORDS = 100;
const ROUNDS = 15;
const WARM_UP_ROUNDS = 2;
/** As many hundreds a producer and round. */
const QUICK = 25;
const SLOW = 5;
const SLOW_MS = 100;
const TOPIC = 'transactions';
const records = Array.from({ length: RECORDS }, (_, number) => ({ value: `${number}`.padEnd(1_000, '.') }));

/** Writes a hundred. */
type Write = () => Promise<unknown>;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function transactional(client: Client, tookMs: number): Write[] {
  return Array.from({ length: PRODUCERS }, (_, number) => {
    const producer = client.producer({ transactionalId: `bench-${tookMs}-${number}` });
    return () =>
      producer.transaction(async (tx) => {
        if (tookMs > 0) await pause(tookMs);
        await tx.send(TOPIC, records);
      });
  });
}

function idempotent(client: Client, tookMs: number): Write[] {
  return Array.from({ length: PRODUCERS }, () => {
    const producer = client.producer();
    return async () => {
      if (tookMs > 0) await pause(tookMs);
      await producer.send(TOPIC, records);
    };
  });
}

async function perSecond(writes: readonly Write[], times: number): Promise<number> {
  const startedAtMs = performance.now();
  await Promise.all(
    writes.map(async (write) => {
      for (let time = 0; time < times; time++) await write();
    }),
  );
  return (writes.length * times * RECORDS * 1000) / (performance.now() - startedAtMs);
}

async function compare(client: Client, tookMs: number, { bench, bar }: { bench: string; bar: number }) {
  const ours = transactional(client, tookMs);
  const plain = idempotent(client, tookMs);
  const times = tookMs > 0 ? SLOW : QUICK;
  const rates: number[] = [];
  const ratios: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const rate = await perSecond(ours, times);
    const ratio = rate / (await perSecond(plain, times));
    if (round < 0) continue;
    rates.push(rate);
    ratios.push(ratio);
  }
  const peer = 'idempotent producers that await each hundred';
  report({
    bench,
    value: median(rates),
    unit: 'records/s',
    peer,
    ratio: median(ratios),
    bar: { ratio: bar },
  });
}

export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const broker = await BrokerProcess.start(['--data', directory, '--flush', 'never']);
  try {
    const { host, port } = broker.ready.kafka;
    await using client = await connect(`kafka://${host}:${port}`);
    await client.admin.topics.create(TOPIC, { partitions: PRODUCERS });
    const each = `${PRODUCERS} transactional producers, ${RECORDS} x 1 KB a transaction, flush=never`;
    await compare(client, 0, { bench: each, bar: 0.3 });
    await compare(client, SLOW_MS, { bench: `${each}, ${SLOW_MS} ms a transaction`, bar: 0.9 });
  } finally {
    await broker.stop();
    rmSync(directory, { recursive: true });
  }
}
