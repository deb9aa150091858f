import { deepStrictEqual, ok } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../gateway/until.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { KafkaBroker } from './kafka/broker.ts';
import { type ClusterState, connectTo, readState } from './kafka/cluster-state.ts';
import { missingKafka } from './kafka/toolchain.ts';
import { ABORTED, extend, fill, transact, useOwnCodecs } from './kafka/workload.ts';
import type { Check, Suite } from './suite.ts';

const CLUSTER_ID = 'a2Fma2EtbWFkZS1pdC1oaQ';

/** A cluster of Kafka's making, with its features at their newest levels, opened by us. */
export const suite: Suite = {
  name: 'we-open-kafkas',
  missing: missingKafka,
  async run(check) {
    useOwnCodecs();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const directory = await mkdtemp(join(tmpdir(), 'milena-opens-'));
      await openKafkas((name, work) => check(`${name}, after ${signal}`, work), directory, signal);
      await rm(directory, { recursive: true });
    }
  },
};

async function openKafkas(check: Check, directory: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  let expected: ClusterState = { partitions: {}, groups: {} };
  await KafkaBroker.format(directory, CLUSTER_ID);
  await withKafka(directory, signal, async (address) => {
    const kafka = connectTo(address);
    await fill(kafka);
    await transact(kafka);
    expected = await readState(address, { except: [ABORTED] });
  });
  const warnings: string[] = [];
  const broker = await BrokerProcess.start(['--data', directory], (line) => warnings.push(line));
  await check(
    'every record, lookup and committed offset is served, those of ended transactions too',
    async () => {
      deepStrictEqual(await readState(broker.address, { except: [ABORTED] }), expected);
      deepStrictEqual(warnings, []);
    },
  );
  await check('of aborted transactions committed records alone are read where that is wanted', async () => {
    const consumer = connectTo(broker.address).consumer({ groupId: 'committed', readUncommitted: false });
    const values: string[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic: ABORTED, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => void values.push(String(message.value)),
    });
    await until('both are read', () => values.length === 2);
    await consumer.disconnect();
    deepStrictEqual(values, ['counts', 'counts']);
  });
  await check('we write to it, and Kafka opens it again', async () => {
    await extend(connectTo(broker.address), 1);
    expected = await readState(broker.address, { except: [ABORTED] });
    await broker.stop(signal);
    await withKafka(directory, signal, async (address) => {
      const state = await readState(address);
      ok(state.partitions[`${ABORTED}/0`], 'what we did not serve is there as it was');
      deepStrictEqual(
        state.partitions[`${ABORTED}/0`]?.records.map(({ value }) => value),
        ['counts', 'counts'],
      );
      delete state.partitions[`${ABORTED}/0`];
      deepStrictEqual(state, expected);
    });
  });
  await broker.stop('SIGKILL');
}

async function withKafka(
  directory: string,
  signal: 'SIGTERM' | 'SIGKILL',
  work: (address: string) => Promise<void>,
): Promise<void> {
  const broker = await KafkaBroker.start(directory);
  try {
    await work(broker.address);
  } finally {
    await broker.stop(signal);
  }
}
