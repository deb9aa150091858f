import { expect, test } from 'vitest';
import { listTransactionsApi } from '../../src/wire/apis/66-list-transactions.ts';
import { TxnCoordinator } from './coordinator.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

test('a transaction that is open too long is aborted, and its producer fenced', () => {
  const coordinator = new TxnCoordinator();
  const producer = coordinator.begin('a', { timeoutMs: 30_000 });
  coordinator.add(producer, ['t/0']);
  coordinator.pass(29_999);
  expect(coordinator.state('a')).toBe('Ongoing');
  coordinator.pass(30_000);
  expect(coordinator.state('a')).toBe('PrepareAbort');
  expect(coordinator.end(producer, true).errorCode).toBe(90);
  coordinator.settle();
  expect(coordinator.state('a')).toBe('CompleteAbort');
  expect(coordinator.init('a', producer).errorCode).toBe(90);
});

test('time that passed while the coordinator was down counts', () => {
  const coordinator = new TxnCoordinator();
  coordinator.add(coordinator.begin('a', { timeoutMs: 30_000 }), ['t/0']);
  coordinator.nowMs = 20_000;
  coordinator.reload();
  coordinator.pass(29_999);
  expect(coordinator.state('a')).toBe('Ongoing');
  coordinator.pass(30_000);
  expect(coordinator.state('a')).toBe('PrepareAbort');
});

test.each([HOUR_MS, -HOUR_MS])('a clock that jumps by %i ms aborts nothing before its time', (jumpMs) => {
  const coordinator = new TxnCoordinator();
  coordinator.nowMs = DAY_MS;
  const producer = coordinator.begin('a', { timeoutMs: 60_000 });
  coordinator.add(producer, ['t/0']);
  coordinator.pass(DAY_MS + 20_000);
  coordinator.nowMs += jumpMs;
  coordinator.pass(coordinator.nowMs);
  expect(coordinator.verify(producer, 't/0')).toBe(0);
  const jumpedMs = coordinator.nowMs;
  coordinator.pass(jumpedMs + 29_000);
  expect(coordinator.state('a')).toBe('Ongoing');
  coordinator.pass(jumpedMs + 60_000);
  expect(coordinator.state('a')).toBe('PrepareAbort');
});

test('ids that nobody uses expire, but not in a transaction', () => {
  const coordinator = new TxnCoordinator({ transactionMaxTimeoutMs: 20 * DAY_MS });
  const producer = coordinator.begin('a');
  coordinator.add(coordinator.begin('b', { timeoutMs: 20 * DAY_MS }), ['t/0']);
  coordinator.pass(7 * DAY_MS - 1);
  expect(coordinator.describe('a').errorCode).toBe(0);
  coordinator.pass(7 * DAY_MS + HOUR_MS);
  expect(coordinator.describe('a').errorCode).toBe(105);
  expect(coordinator.add(producer, ['t/0'])).toBe(49);
  expect(coordinator.state('b')).toBe('Ongoing');
  coordinator.reload();
  expect(coordinator.describe('a').errorCode).toBe(105);
});

test('a coordinator of ids that have all expired sleeps', () => {
  const coordinator = new TxnCoordinator();
  coordinator.add(coordinator.begin('a'), ['t/0']);
  coordinator.pass(60_000);
  coordinator.settle();
  coordinator.pass(20 * DAY_MS);
  expect([...coordinator.machine.snapshot()]).toEqual([]);
  expect(coordinator.machine.wakeAtMs).toBe(Infinity);
});

test('transactions are listed by state, by producer, and by how long they have been open', () => {
  const coordinator = new TxnCoordinator();
  const list = (filters: object) => {
    const body = { stateFilters: [], producerIdFilters: [], ...filters };
    const reply = coordinator.ask(listTransactionsApi, body, { client: 'admin' });
    return [...reply.transactionStates.map((each) => each.transactionalId), ...reply.unknownStateFilters];
  };
  const early = coordinator.begin('early');
  coordinator.add(early, ['t/0']);
  coordinator.begin('idle');
  coordinator.pass(5_000);
  coordinator.add(coordinator.begin('late'), ['t/0']);
  coordinator.pass(6_000);
  expect(list({})).toEqual(['early', 'idle', 'late']);
  expect(list({ stateFilters: ['Ongoing'] })).toEqual(['early', 'late']);
  expect(list({ stateFilters: ['Empty', 'Open'] })).toEqual(['idle', 'Open']);
  expect(list({ producerIdFilters: [early.producerId] })).toEqual(['early']);
  expect(list({ stateFilters: ['Ongoing'], durationFilter: 5_000 })).toEqual(['early']);
});
