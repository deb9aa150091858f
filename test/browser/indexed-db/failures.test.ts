import { deleteDB } from 'idb';
import { describe, expect, test, vi } from 'vitest';
import { IndexedDbLogStore } from '../../../src/hosts/browser/store.ts';
import type { LogWrite } from '../../../src/ports/log-store.ts';
import { append, appends, logName, offsetsOf } from '../../storage/batches.ts';
import { backEnd, newName } from './home.ts';
import { change, storedRows } from './raw.ts';
import { refusal } from './refusal.ts';
import { onRequest, onTransaction } from './spy.ts';

const ALL = { fromOffset: 0, endOffset: Infinity, maxBytes: Infinity };
const { log } = logName(1);
const other = logName(2);
const create: LogWrite[] = [
  { type: 'create', ...logName(1) },
  { type: 'create', ...other },
];

async function open(name = newName()) {
  const store = await IndexedDbLogStore.open({ name, durability: 'strict', tailBytes: 0 });
  return { name, store };
}

describe('another owner', () => {
  test('a row that is there already: the store says why, and all of the transaction is rejected', async () => {
    const { name, store } = await open();
    await store.commit([...create, ...appends(log, 0, 5)]);
    const theirs = append({ log, baseOffset: 5, records: 2 });
    await change(name, 'batches', (batches) => batches.add(theirs.bytes, [log, 5]));

    const failing = store.commit([...appends(log, 5, 8), append({ log: other.log, baseOffset: 0 })]);
    const waiting = store.commit(appends(log, 8, 9));
    const { reason, message } = await refusal(failing);
    expect(reason).toBe('foreign');
    expect(message).toContain(
      `another owner wrote to database ${name}: there is a row at ["${log}",5] already`,
    );
    expect((await refusal(waiting)).reason).toBe('foreign');
    expect(() => store.read(log, ALL)).toThrow('another owner');

    // Nothing of it stays, but in Firefox all that did not fail, unless what failed came last.
    const rest = backEnd === 'firefox' ? [[other.log, 0]] : [];
    expect((await storedRows(name)).map(({ key }) => key)).toEqual([[log, 0], [log, 5], ...rest]);
    expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 7 });
    expect(await store.open(other.log)).toEqual({ logStartOffset: 0, logEndOffset: rest.length });
    await store.commit(appends(log, 7, 8));
    expect(offsetsOf(await store.read(log, { ...ALL, fromOffset: 5 }))).toEqual([
      [5, 6],
      [7, 7],
    ]);
    await store.close();
  });

  test('of two stores at one offset exactly one wins, each time', async () => {
    const { name, store } = await open();
    await store.commit(create);
    const { store: rival } = await open(name);
    await rival.open(log);
    for (let offset = 0; offset < 20; offset++) {
      const write = [append({ log, baseOffset: offset })];
      const ends = await Promise.allSettled([store.commit(write), rival.commit(write)]);
      expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: offset + 1 });
      expect(await rival.open(log)).toEqual({ logStartOffset: 0, logEndOffset: offset + 1 });
    }
    await store.close();
    await rival.close();
  });

  test('a row inside another, as Firefox leaves it after a failed add, is left out', async () => {
    const { name, store } = await open();
    await store.commit([...create, append({ log, baseOffset: 0, records: 5 })]);
    await store.close();
    const stray = append({ log, baseOffset: 3 });
    await change(name, 'batches', (batches) => batches.add(stray.bytes, [log, 3]));
    const warnings: string[] = [];
    const onWarning = (message: string) => warnings.push(message);
    const again = await IndexedDbLogStore.open({ name, durability: 'strict', onWarning });
    expect(await again.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 5 });
    expect(warnings).toEqual([`log ${log}: the row at 3 begins inside another and is left out`]);
    expect(offsetsOf(await again.read(log, ALL))).toEqual([[0, 4]]);
    await again.close();
  });
});

describe('a connection that goes', () => {
  test('one that another tab wants closed is closed, for good', async () => {
    const { name, store } = await open();
    await store.commit([...create, ...appends(log, 0, 2)]);
    await deleteDB(name);
    const { reason, message } = await refusal(store.commit(appends(log, 2, 3)));
    expect(reason).toBe('closed');
    expect(message).toBe(`database ${name} was closed: another tab upgrades or deletes it`);
    expect((await refusal(store.open(log))).reason).toBe('closed');
    expect((await indexedDB.databases()).map((database) => database.name)).not.toContain(name);
    await store.close();
  });

  test('a dead handle is dropped: the next call makes a new connection', async () => {
    const { store } = await open();
    await store.commit([...create, ...appends(log, 0, 2)]);
    let isDead = true;
    onTransaction(() => {
      if (isDead) throw new DOMException('Connection to Indexed Database server lost', 'UnknownError');
    });
    expect((await refusal(store.commit(appends(log, 2, 3)))).message).toContain('server lost');
    isDead = false;
    const opened = vi.spyOn(IDBFactory.prototype, 'open');
    expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 2 });
    expect(opened).toHaveBeenCalledTimes(1);
    await store.commit(appends(log, 2, 3));
    await store.close();
  });
});

describe('a transaction that is aborted', () => {
  test('takes all of its commits along; logs that had no part in it go on', async () => {
    const { store } = await open();
    await store.commit([...create, ...appends(log, 0, 2), append({ log: other.log, baseOffset: 0 })]);
    let aborts = true;
    onRequest(({ transaction }) => {
      if (aborts && transaction.mode === 'readwrite') transaction.abort();
    });
    const failing = store.commit(appends(log, 2, 4));
    const sharing = store.commit(appends(log, 4, 5));
    expect((await refusal(failing)).reason).toBe('failed');
    await refusal(sharing);
    aborts = false;
    await refusal(store.commit(appends(log, 5, 6)));
    await store.commit([append({ log: other.log, baseOffset: 1 })]);
    expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 2 });
    await store.commit(appends(log, 2, 3));
    expect(offsetsOf(await store.read(log, ALL))).toHaveLength(3);
    await store.close();
  });

  test('a reader that waits for a truncation hears of the failure', async () => {
    const { store } = await open();
    await store.commit([...create, ...appends(log, 0, 5)]);
    onRequest(({ method, transaction }) => {
      if (method === 'get') transaction.abort();
    });
    const failing = store.commit([{ type: 'truncate', log, toOffset: 2 }]);
    const reading = Promise.resolve(store.read(log, ALL));
    await refusal(failing);
    await refusal(reading);
    vi.restoreAllMocks();
    expect(await store.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 5 });
    await store.close();
  });
});
