import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as afterMs } from 'node:timers/promises';
import type { Client } from '../../src/client/client.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { CLEANED_NAME } from '../../src/log/compaction/cleaned-offset.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { percentile, report } from './harness.ts';

/** `COMPACTION_MB=50 npm run bench -- compaction` is a small one. */
const MEGABYTES = Number(process.env['COMPACTION_MB'] ?? 1_000);
const BYTES = 500;
const RECORDS = MEGABYTES * 2_000;
/** A gigabyte holds a million keys, and each comes twice. */
const KEYS = RECORDS / 2;
/** Many, so that all but a little is closed. */
const SEGMENT_BYTES = Math.max(1024 * 1024, Math.floor((MEGABYTES * 1e6) / 32));
/** log.cleaner.dedupe.buffer.size. */
const BUDGET_MB = 128;
/** Before and after, so that what else goes on weighs on both. */
const QUIET_MS = 10_000;
const PACE_MS = 2;
const LOOK_EVERY_MS = 50;
const COMPACTED = 'compacted';
const BESIDE = 'beside';

/** What compacting a large topic takes in memory, and what it does to who writes to another meanwhile. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const broker = await BrokerProcess.start(['--data', directory, '--flush', 'never']);
  const client = await connect(`kafka://${broker.address}`);
  try {
    // It looks often, so that what is measured is the pass and not how long it takes to begin.
    await client.admin.configs.alter({ broker: 'default' }, { 'log.cleaner.backoff.ms': '100' });
    await fill(client);
    // What was written so far is on disk: nobody competes with that.
    execFileSync('sync');
    const before = await produceUntil(client, afterMs(QUIET_MS));
    const residentBefore = broker.residentBytes() / 1e6;
    let most = residentBefore;
    const look = setInterval(() => (most = Math.max(most, broker.residentBytes() / 1e6)), LOOK_EVERY_MS);
    const startedAtMs = performance.now();
    await client.admin.configs.ensure({ topic: COMPACTED }, { 'min.cleanable.dirty.ratio': '0' });
    const during = await produceUntil(client, compacted(directory));
    clearInterval(look);
    const tookMs = performance.now() - startedAtMs;
    const quiet = [...before, ...(await produceUntil(client, afterMs(QUIET_MS)))];
    const bench = `compaction, ${MEGABYTES} MB, ${KEYS} keys`;
    report({ bench: `${bench}: took`, value: tookMs / 1_000, unit: 's' });
    report({
      bench: `${bench}: most above before`,
      value: most - residentBefore,
      unit: 'MB',
      bar: { atMost: BUDGET_MB },
    });
    const [alone, beside] = [percentile(quiet, 0.99), percentile(during, 0.99)];
    report({
      bench: `${bench}: p99 of a produce meanwhile`,
      value: beside,
      unit: 'ms',
      peer: 'p99 without it',
      ratio: alone / beside,
      bar: { ratio: 0.5 },
    });
  } finally {
    await client.close();
    await broker.stop();
    rmSync(directory, { recursive: true });
  }
}

async function fill(client: Client): Promise<void> {
  await client.admin.topics.create(BESIDE);
  await client.admin.topics.create(COMPACTED, {
    configs: {
      'cleanup.policy': 'compact',
      'segment.bytes': String(SEGMENT_BYTES),
      // Not before it is told to.
      'min.cleanable.dirty.ratio': '1',
    },
  });
  await using producer = client.producer();
  const value = 'x'.repeat(BYTES - 20);
  for (let number = 0; number < RECORDS; number++)
    await producer.write(COMPACTED, { key: `key-${number % KEYS}`, value });
}

/** One record after the other. @returns how long each took, in milliseconds. */
async function produceUntil(client: Client, done: Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  let isDone = false;
  const ended = done.finally(() => (isDone = true));
  while (!isDone) {
    const startedAtMs = performance.now();
    await client.send(BESIDE, { value: 'x'.repeat(BYTES) });
    took.push(performance.now() - startedAtMs);
    await afterMs(PACE_MS);
  }
  await ended;
  return took;
}

/** Resolves once a pass is through, by what it leaves beside the log: to be asked would hold the broker up. */
async function compacted(directory: string): Promise<void> {
  while (!existsSync(join(directory, `${COMPACTED}-0`, CLEANED_NAME))) await afterMs(LOOK_EVERY_MS);
}
