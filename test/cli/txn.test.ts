import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { Broker } from '../../src/hosts/node/broker.ts';
import { connect } from '../../src/hosts/node/connect.ts';
import { TestBroker } from '../gateway/harness.ts';
import { Run } from './milena.ts';

/** `milena txn`. */

interface Address {
  host: string;
  port: number;
}

async function txn({ host, port }: Address, ...words: string[]) {
  const running = Run.milenaWith({ input: '' }, 'txn', ...words, '--url', `${host}:${port}`);
  const code = await running.ended();
  const lines = running.stdout.split('\n').filter(Boolean);
  return {
    code,
    lines: lines.map((line) => line.split('\t')),
    stdout: running.stdout,
    stderr: running.stderr,
  };
}

async function connected({ host, port }: Address): Promise<Client> {
  const client = await connect(`kafka://${host}:${port}`);
  onTestFinished(() => client.close({ timeoutMs: 0 }));
  return client;
}

/** A transaction that nobody ends. */
async function leftOpen(client: Client, id: string, topic: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client
      .transaction(id, async (tx) => {
        await tx.send(topic, { value: 'x' });
        resolve();
        await new Promise(() => {});
      })
      .catch(reject);
  });
}

describe('one that goes on', () => {
  let server: TestBroker;
  let kafka: Address;
  beforeAll(async () => {
    server = await TestBroker.start();
    ({ kafka } = server.broker);
  });
  afterAll(() => server.close());

  test('is listed, described, and known where it has written; fenced, it is over', async () => {
    const client = await connected(kafka);
    await leftOpen(client, 'mover', 'orders');
    const [[id, producerId, state] = []] = (await txn(kafka, 'ls', '--state', 'Ongoing')).lines;
    expect([id, state]).toEqual(['mover', 'Ongoing']);
    expect((await txn(kafka, 'ls', '--older-than', '1h')).stdout).toBe('');
    expect((await txn(kafka, 'ls', '--pattern', 'mov.*')).lines).toHaveLength(1);
    const described = JSON.parse((await txn(kafka, 'describe', 'mover', '--json')).stdout) as object;
    expect(described).toMatchObject({
      version: 1,
      transactions: [
        { transactionalId: 'mover', state: 'Ongoing', partitions: [{ topic: 'orders', partition: 0 }] },
      ],
    });
    expect((await txn(kafka, 'producers', 'orders')).lines).toMatchObject([
      ['orders', '0', producerId, '0', '0', expect.stringMatching(/^20\d\d-/), '0'],
    ]);
    expect(await txn(kafka, 'hanging', '--older-than', '0s')).toMatchObject({ code: 0, stdout: '' });

    expect((await txn(kafka, 'fence', 'mover', '--dry-run')).lines).toEqual([['mover', 'would be fenced']]);
    expect((await txn(kafka, 'ls', '--state', 'Ongoing')).lines).toHaveLength(1);
    expect((await txn(kafka, 'fence', 'mover', '--yes')).lines).toEqual([['mover', 'fenced']]);
    expect((await txn(kafka, 'ls', '--state', 'Ongoing')).stdout).toBe('');
  });

  test.each([
    [['describe', 'nobody'], 3, 'TRANSACTIONAL_ID_NOT_FOUND'],
    [['producers', 'ordres'], 3, 'milena topics ls'],
    [['ls', '--producer-id', 'x'], 2, '--producer-id'],
    [['ls', '--older-than', 'long'], 2, 'takes a span'],
    [['ls', '--pattern', '('], 1, 'INVALID_REGULAR_EXPRESSION'],
    [['abort', 'orders', '--partition', '0', '--from', '7'], 3, 'no transaction is open from offset 7'],
    [['abort', 'orders', '--partition', '0'], 2, '--from'],
  ])('%j is refused', async (words, code, message) => {
    const result = await txn(kafka, ...words);
    expect(result.stderr).toContain(message);
    expect(result.code).toBe(code);
  });
});

test('one that its coordinator has forgotten is found, and ended where it has written', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'milena-txn-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const settings = new Map([
    ['log.retention.ms', '-1'],
    ['transaction.state.log.num.partitions', '1'],
  ]);
  const first = await Broker.start({ directory, settings });
  await leftOpen(await connected(first.kafka), 'lost', 'orders');
  await first.close();
  // As an operator does who hopes that it helps.
  await rm(join(directory, '__transaction_state-0'), { recursive: true });

  const broker = await Broker.start({ directory, settings });
  onTestFinished(() => broker.close());
  const { kafka } = broker;
  const client = await connected(kafka);
  await client.send('orders', { value: 'behind' });
  const { lines } = await txn(kafka, 'hanging', '--older-than', '0s');
  expect(lines).toMatchObject([['orders', '0', expect.any(String), '0', '0', expect.any(String), '0']]);
  expect((await txn(kafka, 'hanging', 'orders')).stdout).toBe('');
  const abort = ['abort', 'orders', '--partition', '0', '--from', '0'];
  expect(await txn(kafka, ...abort, '--dry-run')).toMatchObject({ code: 0 });
  expect((await txn(kafka, ...abort, '--yes')).lines).toEqual(lines);
  const values: string[] = [];
  for await (const { value } of client.read('orders', { live: false, isolation: 'read_committed' }))
    values.push(Buffer.from(value ?? []).toString());
  expect(values).toEqual(['behind']);
  expect((await txn(kafka, 'hanging', '--older-than', '0s')).stdout).toBe('');
});
