import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nodeClock } from '../../src/hosts/node/clock.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { initProducerIdApi } from '../../src/wire/apis/22-init-producer-id.ts';
import { endTxnApi } from '../../src/wire/apis/26-end-txn.ts';
import { txnOffsetCommitApi } from '../../src/wire/apis/28-txn-offset-commit.ts';
import { describeTransactionsApi } from '../../src/wire/apis/65-describe-transactions.ts';
import { batch, fetchOne, produce, type RawClient, TestBroker } from './harness.ts';

const HOUR_MS = 3_600_000;

interface Producer {
  transactionalId: string;
  producerId: number;
  producerEpoch: number;
}

/** Real time that can be set to another hour. */
const jumped = { byMs: 0 };
const jumpy: Clock = {
  now: () => nodeClock.now() + jumped.byMs,
  preciseMs: () => performance.now(),
  at: (atMs, callback) => nodeClock.at(atMs - jumped.byMs, callback),
};

let broker: TestBroker;
let client: RawClient;
let topic: { name: string; id: string };
let owner: Producer;
let ids = 0;

beforeAll(async () => {
  broker = await TestBroker.start({ clock: jumpy });
  client = await broker.client();
});
afterAll(() => broker.close());
beforeEach(async () => {
  jumped.byMs = 0;
  topic = await broker.topic(client);
  owner = await begin(`id-${++ids}`);
});

/** Asked for, it is there soon. */
async function coordinatorOf(key: string, keyType: 0 | 1): Promise<void> {
  while ((await client.send(findCoordinatorApi, 3, { key, keyType })).errorCode !== 0);
}

async function begin(transactionalId: string): Promise<Producer> {
  await coordinatorOf(transactionalId, 1);
  const open = { transactionalId, transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 };
  for (;;) {
    const { errorCode, producerId, producerEpoch } = await client.send(initProducerIdApi, 5, open);
    // While what was open before is ended.
    if (errorCode === ErrorCode.CONCURRENT_TRANSACTIONS) continue;
    expect(errorCode).toBe(0);
    return { transactionalId, producerId, producerEpoch };
  }
}

/** In a transaction, as KIP-890's clients write: the partition is added by the write itself. */
async function write(value: string, by: Producer, baseSequence = 0): Promise<number> {
  const { producerId, producerEpoch, transactionalId } = by;
  const spec = { producerId, producerEpoch, baseSequence, isTransactional: true };
  for (;;) {
    const { errorCode } = await produce(client, topic, batch([value], spec), { transactionalId });
    if (errorCode !== ErrorCode.CONCURRENT_TRANSACTIONS) return errorCode;
  }
}

async function end(by: Producer, committed: boolean) {
  for (;;) {
    const answer = await client.send(endTxnApi, 5, { ...by, committed });
    if (answer.errorCode !== ErrorCode.CONCURRENT_TRANSACTIONS) return answer;
  }
}

/** Commits, and gives the producer in the epoch it goes on in. */
async function commit(by: Producer): Promise<Producer> {
  const { errorCode, producerId, producerEpoch } = await end(by, true);
  expect(errorCode).toBe(0);
  return { ...by, producerId, producerEpoch };
}

/** What readers of committed records see, once nothing is open. */
async function committed(): Promise<string[]> {
  for (;;) {
    const { records, highWatermark, lastStableOffset, abortedTransactions } = await fetchOne(
      client,
      { topic },
      { isolationLevel: 1 },
    );
    if (lastStableOffset !== highWatermark) continue;
    const aborted = abortedTransactions?.length ?? 0;
    return [
      ...(Buffer.from(records ?? [])
        .toString('latin1')
        .match(/<\w+>/g) ?? []),
      `${aborted} aborted`,
    ];
  }
}

async function stateOf({ transactionalId }: Producer): Promise<string | undefined> {
  const answer = await client.send(describeTransactionsApi, 0, { transactionalIds: [transactionalId] });
  return answer.transactionStates[0]?.transactionState;
}

describe('a zombie', () => {
  test('writes, commits and ends nothing; who fenced it goes on', async () => {
    expect(await write('<a>', owner)).toBe(0);
    const zombie = owner;
    owner = await begin(owner.transactionalId);
    expect(owner.producerEpoch).toBeGreaterThan(zombie.producerEpoch);
    expect(await write('<b>', owner)).toBe(0);
    expect(await write('<zombie>', zombie, 1)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    await coordinatorOf('g', 0);
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }];
    const topics = [{ name: topic.name, partitions }];
    const positions = { ...zombie, groupId: 'g', topics };
    const { topics: answered } = await client.send(txnOffsetCommitApi, 5, positions);
    expect(answered[0]?.partitions[0]?.errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    for (const result of [true, false])
      expect((await end(zombie, result)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await stateOf(owner)).toBe('Ongoing');
    await commit(owner);
    expect(await committed()).toEqual(['<a>', '<b>', '1 aborted']);
  });
});

describe('an EndTxn', () => {
  test('that is delayed does not end the next transaction', async () => {
    expect(await write('<a>', owner)).toBe(0);
    const next = await commit(owner);
    expect(await write('<b>', next)).toBe(0);
    for (const result of [true, false])
      expect((await end(owner, result)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
    expect(await stateOf(next)).toBe('Ongoing');
    expect((await end(next, false)).errorCode).toBe(0);
    expect(await committed()).toEqual(['<a>', '<b>', '1 aborted']);
  });

  test('that is repeated is answered as before; with the other result it is refused', async () => {
    expect(await write('<a>', owner)).toBe(0);
    const next = await commit(owner);
    expect(await commit(owner)).toEqual(next);
    expect((await end(owner, false)).errorCode).toBe(ErrorCode.INVALID_TXN_STATE);
    expect(await stateOf(owner)).toBe('CompleteCommit');
    expect(await write('<b>', next)).toBe(0);
    await commit(next);
    expect(await committed()).toEqual(['<a>', '<b>', '0 aborted']);
  });
});

describe('who says that it is a producer', () => {
  test('of an epoch that has not come, or under an id of another, changes nothing', async () => {
    expect(await write('<a>', owner)).toBe(0);
    const ahead = { ...owner, producerEpoch: owner.producerEpoch + 1 };
    const other = { ...owner, producerId: owner.producerId + 1_000 };
    expect((await end(ahead, true)).errorCode).toBe(ErrorCode.PRODUCER_FENCED);
    expect((await end(other, true)).errorCode).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    expect(await write('<ahead>', ahead)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    expect(await write('<other>', other)).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    expect(await stateOf(owner)).toBe('Ongoing');
    await commit(owner);
    expect(await committed()).toEqual(['<a>', '0 aborted']);
  });

  test('of an id that is empty, or of a transaction that takes longer than it may', async () => {
    const open = { transactionalId: owner.transactionalId, producerId: -1, producerEpoch: -1 };
    const empty = { ...open, transactionalId: '', transactionTimeoutMs: 60_000 };
    expect((await client.send(initProducerIdApi, 5, empty)).errorCode).toBe(ErrorCode.INVALID_REQUEST);
    for (const transactionTimeoutMs of [0, -1, 900_001]) {
      const { errorCode } = await client.send(initProducerIdApi, 5, { ...open, transactionTimeoutMs });
      expect(errorCode).toBe(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
    }
    expect(await write('<a>', owner)).toBe(0);
    await commit(owner);
    expect(await committed()).toEqual(['<a>', '0 aborted']);
  });
});

test.each([HOUR_MS, -HOUR_MS])('a clock that jumps by %i ms ends no transaction', async (byMs) => {
  expect(await write('<a>', owner)).toBe(0);
  jumped.byMs = byMs;
  // Others begin, write and end meanwhile: the coordinator has looked at its deadlines.
  const other = await begin(`id-${++ids}`);
  expect(await write('<b>', other)).toBe(0);
  await commit(other);
  expect(await stateOf(owner)).toBe('Ongoing');
  expect(await write('<c>', owner, 1)).toBe(0);
  await commit(owner);
  expect(await committed()).toEqual(['<a>', '<b>', '<c>', '0 aborted']);
});
