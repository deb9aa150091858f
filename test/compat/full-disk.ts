import { deepStrictEqual, match, ok, rejects } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { Run } from '../cli/milena.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { patiently, readState } from './kafka/cluster-state.ts';
import type { Suite } from './suite.ts';

const run = promisify(execFile);
const DISK_MB = 2;
const VALUE_BYTES = 50_000;
const TOPIC = 'full';

/** Real disks: one of 2 MB that a broker fills, and one that it may not write to. */
export const suite: Suite = {
  name: 'full-disk',
  async missing() {
    const directory = await mkdtemp(join(tmpdir(), 'milena-mount-'));
    try {
      await mountDisk(directory);
      await run('umount', [directory]);
      return undefined;
    } catch (error) {
      return `no right to mount a disk (${(error as Error).message.split('\n').at(-1)})`;
    } finally {
      await rm(directory, { recursive: true });
    }
  },
  async run(check) {
    const directory = await mkdtemp(join(tmpdir(), 'milena-mount-'));
    await mountDisk(directory);
    try {
      const data = join(directory, 'data');
      let acknowledged = 0;
      await check('a full disk refuses, and what was acknowledged is served once there is room', async () => {
        const warnings: string[] = [];
        const broker = await BrokerProcess.start(['--data', data], (line) => warnings.push(line));
        acknowledged = await produceUntilFull(broker.address);
        ok(acknowledged > 10, `${acknowledged} records fitted`);
        match(warnings.join('\n'), /ENOSPC/);
        await run('mount', ['-o', `remount,size=${2 * DISK_MB}m`, directory]);
        const { partitions } = await patiently(() => readState(broker.address));
        const values = partitions[`${TOPIC}/0`]?.records.map(({ value }) => value?.split(' ')[0]) ?? [];
        const expected = Array.from({ length: acknowledged }, (_, number) => String(number));
        deepStrictEqual(values.slice(0, acknowledged), expected);
        await broker.stop('SIGTERM');
      });
      await check('a start on a full disk says so', async () => {
        await rejects(
          writeFile(join(directory, 'ballast'), new Uint8Array(4 * DISK_MB * 1024 * 1024)),
          /ENOSPC/,
        );
        const start = Run.milena('dev', '--data', data, '--port', '0', '--http-port', '0');
        ok((await start.ended()) !== 0);
        match(start.stderr, /no space left on device/);
        await rm(join(directory, 'ballast'));
        const broker = await BrokerProcess.start(['--data', data]);
        const { partitions } = await readState(broker.address);
        ok((partitions[`${TOPIC}/0`]?.records.length ?? 0) >= acknowledged);
        await broker.stop('SIGTERM');
      });
      await check('a directory that may not be written is refused by name', async () => {
        await run('mount', ['-o', 'remount,ro', directory]);
        const start = Run.milena('dev', '--data', data, '--port', '0', '--http-port', '0');
        ok((await start.ended()) !== 0);
        match(start.stderr, /read-only file system/);
        ok(start.stderr.includes(data), start.stderr);
      });
    } finally {
      await run('umount', [directory]);
      await rm(directory, { recursive: true });
    }
  },
};

async function mountDisk(directory: string): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', directory]);
}

/** @returns how many records were acknowledged, one after the other, before the first was refused. */
async function produceUntilFull(address: string): Promise<number> {
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 2 } });
  const producer = kafka.producer();
  await producer.connect();
  let sent = 0;
  while (await isTaken(producer, `${sent} `.padEnd(VALUE_BYTES, 'x'))) sent++;
  await producer.disconnect();
  return sent;
}

async function isTaken(producer: Producer, value: string): Promise<boolean> {
  return producer.send({ topic: TOPIC, messages: [{ value }] }).then(
    () => true,
    () => false,
  );
}
