import { describe, expect, test } from 'vitest';
import { transactionRecord } from '../../src/txn/records.ts';
import { created } from '../../src/txn/transaction.ts';
import { markersAnswered, TxnCoordinator } from './coordinator.ts';

const V1 = 4;

describe('a producer begins', () => {
  test('with an id of its own, and each beginning moves the epoch', () => {
    const coordinator = new TxnCoordinator();
    const first = coordinator.begin('a');
    expect(first).toEqual({ transactionalId: 'a', producerId: 1_000, producerEpoch: 0 });
    expect(coordinator.begin('a')).toEqual({ ...first, producerEpoch: 1 });
    expect(coordinator.begin('b').producerId).toBe(1_001);
  });

  test('and is told what is wrong with its request', () => {
    const coordinator = new TxnCoordinator({ transactionMaxTimeoutMs: 1_000 });
    expect(coordinator.init('').errorCode).toBe(42);
    expect(coordinator.init('a', { timeoutMs: 1_001 }).errorCode).toBe(50);
    expect(coordinator.init('a', { timeoutMs: 0 }).errorCode).toBe(50);
    expect(coordinator.init('a', { timeoutMs: 1_000, producerId: 7 }).errorCode).toBe(42);
    expect(coordinator.init('a', { timeoutMs: 1_000 }).errorCode).toBe(0);
  });

  test('with the block that came for all that waited', () => {
    const coordinator = new TxnCoordinator({}, 2);
    const ids = ['a', 'b', 'c', 'd', 'e'].map((id) => coordinator.begin(id).producerId);
    expect(ids).toEqual([1_000, 1_001, 1_002, 1_003, 1_004]);
  });

  test('and one that has gone meanwhile gets no id', () => {
    const coordinator = new TxnCoordinator();
    const body = { transactionalId: 'a', transactionTimeoutMs: 1_000, producerId: -1, producerEpoch: -1 };
    const { machine } = coordinator;
    const caller = { principal: '', clientId: '', clientHost: '' };
    const from = { link: 5, correlationId: 1 };
    coordinator.perform(machine.decide({ from, caller, apiKey: 22, apiVersion: 5, body }, 0));
    machine.forget(5);
    coordinator.settle();
    expect(coordinator.describe('a').errorCode).toBe(105);
  });
});

describe('a producer that says who it is', () => {
  test('moves on, and its repeated request is answered alike', () => {
    const coordinator = new TxnCoordinator();
    const first = coordinator.begin('a');
    const next = coordinator.init('a', first);
    expect(next).toEqual({ errorCode: 0, producer: { ...first, producerEpoch: 1 } });
    expect(coordinator.init('a', first)).toEqual(next);
    coordinator.reload();
    expect(coordinator.init('a', first)).toEqual(next);
  });

  test('is fenced once another has begun', () => {
    const coordinator = new TxnCoordinator();
    const zombie = coordinator.begin('a');
    const owner = coordinator.begin('a');
    expect(coordinator.init('a', zombie).errorCode).toBe(90);
    expect(coordinator.init('a', { ...zombie, version: 3 }).errorCode).toBe(47);
    expect(coordinator.add(owner, ['t/0'])).toBe(0);
    expect(coordinator.init('a', zombie).errorCode).toBe(90);
    expect(coordinator.state('a')).toBe('Ongoing');
    expect(coordinator.end(owner, true).errorCode).toBe(0);
  });

  test('is fenced under a producer id that is not its own', () => {
    const coordinator = new TxnCoordinator();
    const owner = coordinator.begin('a');
    expect(coordinator.init('a', { ...owner, producerId: 7 }).errorCode).toBe(90);
    expect(coordinator.add({ ...owner, producerId: 7 }, ['t/0'])).toBe(49);
    expect(coordinator.end({ ...owner, producerId: 7 }, true).errorCode).toBe(49);
  });
});

test('a second producer of an id aborts what the first has open, and may go on when that is done', () => {
  const coordinator = new TxnCoordinator();
  const first = coordinator.begin('a');
  coordinator.add(first, ['t/0', 't/1']);
  expect(coordinator.init('a').errorCode).toBe(51);
  expect(coordinator.state('a')).toBe('PrepareAbort');
  expect(coordinator.init('a').errorCode).toBe(51);
  expect(coordinator.add(first, ['t/2'])).toBe(90);
  expect(coordinator.end(first, true).errorCode).toBe(90);
  coordinator.settle();
  expect(coordinator.state('a')).toBe('CompleteAbort');
  expect(coordinator.markers).toEqual(
    ['t/0', 't/1'].map((partition) => ({
      partition,
      producerId: first.producerId,
      producerEpoch: 2,
      committed: false,
    })),
  );
  const { errorCode, producer } = coordinator.init('a');
  expect([errorCode, producer.producerEpoch]).toEqual([0, 3]);
  expect(coordinator.end(first, true, V1).errorCode).toBe(90);
});

describe('partitions', () => {
  test('begin a transaction, and are told to whoever verifies them', () => {
    const coordinator = new TxnCoordinator();
    const producer = coordinator.begin('a');
    expect(coordinator.verify(producer, 't/0')).toBe(120);
    expect(coordinator.add(producer, ['t/0'])).toBe(0);
    const written = coordinator.log.length;
    expect(coordinator.add(producer, ['t/0'])).toBe(0);
    expect(coordinator.log.length).toBe(written);
    expect(coordinator.add(producer, ['t/1', 'u/0'], 5)).toBe(0);
    expect(coordinator.verify(producer, 'u/0')).toBe(0);
    expect(coordinator.verify(producer, 'u/1')).toBe(120);
    expect(coordinator.describe('a').topics).toEqual([
      { topic: 't', partitions: [0, 1] },
      { topic: 'u', partitions: [0] },
    ]);
  });

  test('of a wrong epoch are refused as the version knows it', () => {
    const coordinator = new TxnCoordinator();
    const producer = coordinator.begin('a');
    const other = { ...producer, producerEpoch: 1 };
    expect(coordinator.add(other, ['t/0'], 1)).toBe(47);
    expect(coordinator.add(other, ['t/0'], 2)).toBe(90);
    expect(coordinator.add(other, ['t/0'], 5)).toBe(90);
    expect(coordinator.verify(other, 't/0')).toBe(90);
    expect(coordinator.add({ ...producer, transactionalId: 'b' }, ['t/0'])).toBe(49);
    expect(coordinator.add({ ...producer, transactionalId: '' }, ['t/0'])).toBe(42);
    expect(coordinator.state('a')).toBe('Empty');
  });

  test('wait for the transaction before', () => {
    const coordinator = new TxnCoordinator();
    const producer = coordinator.begin('a');
    coordinator.add(producer, ['t/0']);
    const { producer: next } = coordinator.end(producer, true);
    expect(coordinator.add(next, ['t/0'])).toBe(51);
    expect(coordinator.verify(next, 't/0')).toBe(51);
    coordinator.settle();
    expect(coordinator.add(next, ['t/0'])).toBe(0);
  });
});

describe('an end', () => {
  test('asks for a marker a partition, once it is decided, and is complete with the last', () => {
    const coordinator = new TxnCoordinator();
    const producer = coordinator.begin('a');
    coordinator.add(producer, ['t/0', 't/1'], 5);
    expect(coordinator.end(producer, true)).toEqual({
      errorCode: 0,
      producer: { ...producer, producerEpoch: 1 },
    });
    const [first, second] = coordinator.asks;
    expect([first?.shard, second?.shard]).toEqual(['t/0', 't/1']);
    expect(first?.body).toEqual({
      markers: [
        {
          producerId: 1_000,
          producerEpoch: 1,
          transactionResult: true,
          topics: [{ name: 't', partitionIndexes: [0] }],
          coordinatorEpoch: 3,
          transactionVersion: 2,
        },
      ],
    });
    if (first === undefined || second === undefined) throw new Error('two were asked');
    coordinator.answer(first, { body: markersAnswered(first, 0) });
    expect(coordinator.state('a')).toBe('PrepareCommit');
    coordinator.answer(second, { body: markersAnswered(second, 56) });
    coordinator.answer(second, { body: undefined, errorCode: 56 });
    expect(coordinator.state('a')).toBe('PrepareCommit');
    coordinator.answer(second, { body: markersAnswered(second, 0) });
    expect(coordinator.state('a')).toBe('CompleteCommit');
  });

  test('is for the next coordinator to complete where a later one has written already', () => {
    const coordinator = new TxnCoordinator();
    const producer = coordinator.begin('a');
    coordinator.add(producer, ['t/0', 't/1'], 5);
    coordinator.end(producer, true);
    const [first, second] = coordinator.asks;
    if (first === undefined || second === undefined) throw new Error('two were asked');
    coordinator.answer(first, { body: markersAnswered(first, 52) });
    // Neither is asked again, and what is decided stays so.
    coordinator.answer(second, { body: markersAnswered(second, 56) });
    expect(coordinator.asks).toEqual([]);
    expect(coordinator.state('a')).toBe('PrepareCommit');
    coordinator.reload();
    expect(coordinator.asks.map(({ shard }) => shard)).toEqual(['t/0', 't/1']);
    coordinator.settle();
    expect(coordinator.state('a')).toBe('CompleteCommit');
  });

  test('passes over partitions that are not there any more', () => {
    const coordinator = new TxnCoordinator();
    const producer = coordinator.begin('a');
    coordinator.add(producer, ['gone/0']);
    expect(coordinator.end(producer, true).errorCode).toBe(0);
    expect(coordinator.state('a')).toBe('CompleteCommit');
    expect(coordinator.asks).toEqual([]);
  });

  test.each([true, false])('that is repeated is answered as before (v2, committed: %s)', (committed) => {
    const coordinator = new TxnCoordinator();
    const producer = coordinator.begin('a');
    coordinator.add(producer, ['t/0'], 5);
    const ended = coordinator.end(producer, committed);
    expect(coordinator.end(producer, committed).errorCode).toBe(51);
    coordinator.settle();
    expect(coordinator.end(producer, committed)).toEqual(ended);
    expect(coordinator.end(producer, !committed).errorCode).toBe(48);
  });

  test('that is delayed does not end the next transaction (v2)', () => {
    const coordinator = new TxnCoordinator();
    const producer = coordinator.begin('a');
    coordinator.add(producer, ['t/0'], 5);
    const { producer: next } = coordinator.end(producer, true);
    coordinator.settle();
    coordinator.add(next, ['t/0'], 5);
    expect(coordinator.end(producer, true).errorCode).toBe(90);
    expect(coordinator.end(producer, false).errorCode).toBe(90);
    expect(coordinator.state('a')).toBe('Ongoing');
  });

  test('of nothing is an abort (v2)', () => {
    const coordinator = new TxnCoordinator();
    const producer = coordinator.begin('a');
    expect(coordinator.end(producer, true).errorCode).toBe(48);
    const { producer: second } = coordinator.end(producer, false);
    expect(second.producerEpoch).toBe(1);
    expect(coordinator.state('a')).toBe('CompleteAbort');
    const { producer: third } = coordinator.end(second, false);
    expect(third.producerEpoch).toBe(2);
    coordinator.add(third, ['t/0'], 5);
    const { producer: fourth } = coordinator.end(third, true);
    coordinator.settle();
    expect(coordinator.end(fourth, true).errorCode).toBe(48);
    expect(coordinator.end(fourth, false)).toEqual({
      errorCode: 0,
      producer: { ...fourth, producerEpoch: 4 },
    });
  });

  test('before v2 keeps the epoch, and is told from a repeated one by its result alone', () => {
    const coordinator = new TxnCoordinator();
    const producer = coordinator.begin('a');
    expect(coordinator.end(producer, false, V1).errorCode).toBe(48);
    coordinator.add(producer, ['t/0']);
    expect(coordinator.end({ ...producer, producerEpoch: 5 }, true, V1).errorCode).toBe(90);
    expect(coordinator.end({ ...producer, producerEpoch: 5 }, true, 1).errorCode).toBe(47);
    expect(coordinator.end(producer, true, V1).errorCode).toBe(0);
    expect(coordinator.end(producer, true, V1).errorCode).toBe(51);
    coordinator.settle();
    expect(coordinator.markers[0]?.producerEpoch).toBe(0);
    expect(coordinator.end(producer, true, V1).errorCode).toBe(0);
    expect(coordinator.end(producer, false, V1).errorCode).toBe(48);
    expect(coordinator.add(producer, ['t/1'])).toBe(0);
    expect(coordinator.describe('a').topics).toEqual([{ topic: 't', partitions: [1] }]);
  });

  test('of an id that nobody knows', () => {
    const coordinator = new TxnCoordinator();
    const nobody = { transactionalId: 'a', producerId: 1, producerEpoch: 0 };
    expect(coordinator.end(nobody, true).errorCode).toBe(49);
    expect(coordinator.end({ ...nobody, transactionalId: '' }, true).errorCode).toBe(42);
  });
});

describe('epochs that are used up', () => {
  function worn(producerEpoch: number): TxnCoordinator {
    const coordinator = new TxnCoordinator();
    const transaction = { ...created(7, { timeoutMs: 60_000, nowMs: 0 }), producerEpoch };
    coordinator.log.push(transactionRecord('a', transaction));
    coordinator.reload();
    return coordinator;
  }

  test('bring a new producer id when one begins', () => {
    const coordinator = worn(0x7ffe);
    expect(coordinator.begin('a')).toEqual({ transactionalId: 'a', producerId: 1_000, producerEpoch: 0 });
  });

  test('bring a new producer id to one that goes on, and to its repeated request', () => {
    const coordinator = worn(0x7ffe);
    const old = { transactionalId: 'a', producerId: 7, producerEpoch: 0x7ffe };
    const next = coordinator.init('a', old);
    expect(next).toEqual({
      errorCode: 0,
      producer: { transactionalId: 'a', producerId: 1_000, producerEpoch: 0 },
    });
    expect(coordinator.init('a', old)).toEqual(next);
    expect(coordinator.init('a', old)).toEqual(next);
  });

  test('bring a new producer id with an end, whose markers are still of the old one', () => {
    const coordinator = worn(0x7ffd);
    const last = coordinator.begin('a');
    expect(last.producerEpoch).toBe(0x7ffe);
    coordinator.add(last, ['t/0'], 5);
    const ended = coordinator.end(last, true);
    expect(ended).toEqual({
      errorCode: 0,
      producer: { transactionalId: 'a', producerId: 1_000, producerEpoch: 0 },
    });
    expect(coordinator.end(last, true).errorCode).toBe(51);
    coordinator.settle();
    expect(coordinator.markers).toEqual([
      { partition: 't/0', producerId: 7, producerEpoch: 0x7fff, committed: true },
    ]);
    expect(coordinator.end(last, true)).toEqual(ended);
    expect(coordinator.end(last, false).errorCode).toBe(48);
    expect(coordinator.add(ended.producer, ['t/0'], 5)).toBe(0);
    expect(coordinator.end(last, true).errorCode).toBe(49);
  });

  test('leave one to fence with', () => {
    const coordinator = worn(0x7ffd);
    const last = coordinator.begin('a');
    coordinator.add(last, ['t/0'], 5);
    expect(coordinator.init('a').errorCode).toBe(51);
    coordinator.settle();
    expect(coordinator.markers[0]?.producerEpoch).toBe(0x7fff);
    expect(coordinator.init('a', last).errorCode).toBe(90);
    expect(coordinator.begin('a')).toEqual({ transactionalId: 'a', producerId: 1_000, producerEpoch: 0 });
  });
});

test('what was decided before a crash is completed after it', () => {
  const coordinator = new TxnCoordinator();
  const producer = coordinator.begin('a');
  coordinator.add(producer, ['t/0', 't/1'], 5);
  const ended = coordinator.end(producer, true);
  const [first] = coordinator.asks;
  if (first) coordinator.settleOne(first);
  coordinator.reload();
  expect(coordinator.asks.map(({ shard }) => shard)).toEqual(['t/0', 't/1']);
  coordinator.settle();
  expect(coordinator.state('a')).toBe('CompleteCommit');
  expect(coordinator.end(producer, true)).toEqual(ended);
});
