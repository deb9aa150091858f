import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WatchedStore } from '../../src/hosts/node/watched-store.ts';
import { MemoryLogStore } from '../../src/log/memory-store.ts';
import type { Log, LogFields } from '../../src/ports/log.ts';
import { appends, logName } from '../storage/batches.ts';

/** What the host tells of its store, in a time that the test makes. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const name = logName(1);

async function watched(wasClean: boolean) {
  const store = new MemoryLogStore();
  await store.commit([{ type: 'create', ...name }, ...appends(name.log, 0, 3)]);
  const said: [string, string, LogFields | undefined][] = [];
  const at = (level: string) => (msg: string, fields?: LogFields) => said.push([level, msg, fields]);
  const log: Log = { info: at('info'), warn: at('warn'), error: at('error') };
  return { store, said, watching: new WatchedStore(store, { log, wasClean }) };
}

test('a log that is recovered is told once, with its name, its end and how long it took', async () => {
  const { store, said, watching } = await watched(false);
  const open = store.open.bind(store);
  store.open = async (log) => {
    vi.advanceTimersByTime(250);
    return open(log);
  };
  expect(await watching.open(name.log)).toEqual({ logStartOffset: 0, logEndOffset: 3 });
  await watching.open(name.log);
  const about = {
    component: 'store',
    topic: 'topic1',
    partition: 0,
    offset: 3,
    logStartOffset: 0,
    durationMs: 250,
  };
  expect(said).toEqual([['info', 'log recovered', about]]);
});

test('after a clean stop nothing is recovered, and nothing told', async () => {
  const { said, watching } = await watched(true);
  await watching.open(name.log);
  expect(said).toEqual([]);
});

test('slow commits are told, one in ten seconds, with how many there were besides', async () => {
  const { store, said, watching } = await watched(true);
  const commitIn = async (durationMs: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    store.commit = () => promise;
    expect(watching.commit([])).toBe(promise);
    expect(watching.commit([])).toBe(promise);
    vi.advanceTimersByTime(durationMs);
    resolve();
    await new Promise((settled) => setImmediate(settled));
  };
  for (const durationMs of [10, 999, 1_000, 2_000, 1_500, 9_000]) await commitIn(durationMs);
  expect(said.map(([level, , fields]) => [level, fields?.['durationMs'], fields?.['keptBack']])).toEqual([
    ['warn', 1_000, 0],
    ['warn', 9_000, 2],
  ]);
});

test('a commit that fails is the caller\u2019s to hear of', async () => {
  const { store, said, watching } = await watched(true);
  store.commit = () => Promise.reject(new Error('full'));
  await expect(watching.commit([])).rejects.toThrow('full');
  expect(said).toEqual([]);
});
