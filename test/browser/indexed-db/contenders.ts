import Dexie from 'dexie';
import { createRxDatabase } from 'rxdb';
import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie';
import type { Durability } from '../../../src/hosts/browser/database.ts';
import { IndexedDbLogStore } from '../../../src/hosts/browser/store.ts';
import { loadKernels } from '../../../src/kernels/load.ts';
import type { LogWrite } from '../../../src/ports/log-store.ts';
import { buildBatch } from '../../../src/records/builder.ts';

/** What is stored: 100 bytes of JSON. */
export interface Event {
  id: string;
  ts: number;
  type: string;
  data: string;
}

/** Stores all of `events` and resolves when they are durable. */
export type Contender = (events: readonly Event[]) => Promise<void>;

/** A batch of so many fills a row. */
const EVENTS_A_BATCH = 530;

async function milena(durability: Durability): Promise<Contender> {
  const kernels = await loadKernels();
  const store = await IndexedDbLogStore.open({ name: `milena-${durability}`, durability });
  const log = 'AAAAAAAAAAAAAAAAAAAAAQ/0';
  const name = { log, topic: 'events', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partition: 0 };
  await store.commit([{ type: 'create', ...name }]);
  let baseOffset = 0;
  return async (events) => {
    const writes: LogWrite[] = [];
    for (let at = 0; at < events.length; at += EVENTS_A_BATCH) {
      const records = events
        .slice(at, at + EVENTS_A_BATCH)
        .map((event) => ({ timestamp: event.ts, value: JSON.stringify(event) }));
      const bytes = buildBatch(kernels, { records, baseOffset, leaderEpoch: 0 });
      const lastOffset = baseOffset + records.length - 1;
      const maxTimestamp = records.at(-1)?.timestamp ?? -1;
      writes.push({ type: 'append', log, baseOffset, lastOffset, maxTimestamp, epoch: 0, bytes });
      baseOffset = lastOffset + 1;
    }
    await store.commit(writes);
  };
}

async function dexie(): Promise<Contender> {
  const database = new Dexie('dexie');
  database.version(1).stores({ events: 'id' });
  await database.open();
  const events = database.table<Event>('events');
  return async (given) => {
    await events.bulkAdd(given.slice());
  };
}

async function rxdb(): Promise<Contender> {
  const storage = getRxStorageDexie();
  const database = await createRxDatabase({ name: 'rxdb', storage, multiInstance: false });
  const text = { type: 'string' };
  const schema = {
    version: 0,
    primaryKey: 'id',
    type: 'object',
    properties: { id: { type: 'string', maxLength: 32 }, ts: { type: 'number' }, type: text, data: text },
    required: ['id'],
  } as const;
  const { events } = await database.addCollections({ events: { schema } });
  if (!events) throw new Error('RxDB made no collection');
  return async (given) => {
    const { error } = await events.bulkInsert(given.slice());
    if (error.length > 0) throw new Error(`RxDB refused ${error.length} events`);
  };
}

const makers = {
  relaxed: () => milena('relaxed'),
  strict: () => milena('strict'),
  dexie,
  rxdb,
};
export type ContenderName = keyof typeof makers;

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
let made = 0;

/** Events of 100 bytes, each with an id of its own. */
function newEvents(count: number): Event[] {
  return Array.from({ length: count }, () => {
    const number = made++;
    const data = Array.from({ length: 36 }, (_, at) => LETTERS[(number * 7 + at * at * 13) % LETTERS.length]);
    return {
      id: `e${String(number).padStart(10, '0')}`,
      ts: 1.78e12 + number,
      type: 'click',
      data: data.join(''),
    };
  });
}

const ready = new Map<ContenderName, Contender>();

/** Seconds it took the contender to store so many new events, in calls of `bulk`, one after the other. */
export async function secondsFor(name: ContenderName, total: number, bulk: number): Promise<number> {
  const contender = ready.get(name) ?? (await makers[name]());
  ready.set(name, contender);
  const calls = Array.from({ length: total / bulk }, () => newEvents(bulk));
  const startedAt = performance.now();
  for (const events of calls) await contender(events);
  return (performance.now() - startedAt) / 1000;
}
