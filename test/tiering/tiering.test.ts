import { afterAll, describe, expect, test } from 'vitest';
import { LookupTime } from '../../src/log/lookup.ts';
import type { LogConfig } from '../../src/log/config.ts';
import { NodeSqlite } from '../durable-object/node-sqlite.ts';
import { Databases } from '../durable-object/node-home.ts';
import { pass } from '../log/compaction/cleaning.ts';
import { NAME, NOW } from '../log/fixtures.ts';
import { MINUTE_MS, PLACES, PREFIX, TieredRig, written } from './rig.ts';

const databases = new Databases();
afterAll(() => databases.remove());

const HOUR_MS = 60 * MINUTE_MS;

async function openRig(config: Partial<LogConfig> = {}): Promise<TieredRig> {
  return new TieredRig(databases.path(), config).open();
}

const offsetAt = async ({ log }: TieredRig, target: number) =>
  (await log.offsetForTimestamp(target, log.highWatermark)).offset;

describe('closed segments', () => {
  test('are copied and their rows go; all is read, whichever is where', async () => {
    const rig = await openRig();
    await rig.writeMany(40);
    await rig.look();
    expect(rig.remoteEnd).toBeGreaterThan(20);
    expect(rig.rows).toBeLessThan(10);
    expect(rig.keys.every((key) => key.startsWith(`${PREFIX}e0/`))).toBe(true);
    expect(await rig.content()).toEqual(written(40));
    await rig.writeMany(40);
    await rig.look();
    expect(await rig.content()).toEqual(written(80));
    await rig.open();
    expect(await rig.content()).toEqual(written(80));
    expect(rig.log.logStartOffset).toBe(0);
  });

  test('are read from any offset on, and not beyond what a reader may see', async () => {
    const rig = await openRig();
    await rig.writeMany(40);
    await rig.look();
    for (let fromOffset = 0; fromOffset < 40; fromOffset++) {
      const read = await rig.store.read(NAME.log, { fromOffset, endOffset: 30, maxBytes: 1 });
      expect(read.length > 0).toBe(fromOffset < 30);
    }
  });

  test('stay here too as local.retention.bytes and local.retention.ms say', async () => {
    const rig = await openRig({ localRetentionBytes: 1_000 });
    await rig.writeMany(40);
    await rig.look();
    const local = rig.store.segments(NAME.log).filter(({ baseOffset }) => baseOffset >= rig.remoteEnd);
    const sizeBytes = local.reduce((sum, segment) => sum + segment.sizeBytes, 0);
    expect(sizeBytes).toBeGreaterThanOrEqual(1_000);
    expect(sizeBytes).toBeLessThan(1_800);
    rig.config.localRetentionBytes = Infinity;
    rig.config.localRetentionMs = MINUTE_MS;
    rig.pass(HOUR_MS);
    await rig.look();
    expect(rig.store.segments(NAME.log).filter(({ baseOffset }) => baseOffset >= rig.remoteEnd).length).toBe(
      1,
    );
    expect(await rig.content()).toEqual(written(40));
  });

  test('are not copied before all in them is decided, nor of a topic that is not tiered', async () => {
    const rig = await openRig({ remoteStorageEnable: false });
    await rig.writeMany(40);
    await rig.look();
    expect(rig.keys).toEqual([]);
    rig.config.remoteStorageEnable = true;
    rig.log.highWatermark = 2;
    await rig.look();
    expect(rig.keys).toEqual([]);
    rig.log.highWatermark = rig.log.logEndOffset;
    rig.config.remoteLogCopyDisable = true;
    await rig.look();
    expect(rig.keys).toEqual([]);
    rig.config.remoteLogCopyDisable = false;
    await rig.look();
    expect(rig.keys.length).toBeGreaterThan(3);
  });

  test('are found by time, there and here, and by the times that Kafka gives a meaning', async () => {
    const rig = await openRig();
    for (let offset = 0; offset < 40; offset++) {
      await rig.write('k', 'v', NOW + offset * 1_000);
      rig.pass(1_000);
    }
    await rig.look();
    for (let offset = 0; offset < 40; offset++) {
      expect(await offsetAt(rig, NOW + offset * 1_000)).toBe(offset);
      expect(await offsetAt(rig, NOW + offset * 1_000 - 500)).toBe(offset);
    }
    expect(await offsetAt(rig, LookupTime.earliest)).toBe(0);
    expect(await offsetAt(rig, LookupTime.earliestLocal)).toBe(rig.remoteEnd);
    expect(await offsetAt(rig, LookupTime.latestTiered)).toBe(rig.remoteEnd - 1);
    expect(await offsetAt(rig, LookupTime.maxTimestamp)).toBe(39);
  });
});

describe('retention', () => {
  test('drops what is elsewhere, too, and its objects a while later', async () => {
    const rig = await openRig({ retentionMs: HOUR_MS, fileDeleteDelayMs: MINUTE_MS });
    await rig.writeMany(40);
    await rig.look();
    const before = rig.keys.length;
    rig.pass(2 * HOUR_MS);
    await rig.writeMany(8);
    await rig.store.commit(rig.log.deleteOldSegments(rig.clock.now()));
    expect(rig.log.logStartOffset).toBeGreaterThanOrEqual(36);
    const { againAtMs } = await rig.look();
    expect(againAtMs).toBe(rig.clock.now() + MINUTE_MS);
    expect(rig.keys.length).toBeGreaterThanOrEqual(before);
    rig.pass(MINUTE_MS);
    await rig.look();
    expect(rig.keys.length).toBeLessThan(3);
    expect(await rig.content()).toEqual(written(48).slice(rig.log.logStartOffset));
  });

  test('by bytes counts both', async () => {
    const rig = await openRig({ retentionBytes: 1_500 });
    await rig.writeMany(80);
    await rig.look();
    await rig.store.commit(rig.log.deleteOldSegments(rig.clock.now()));
    const sizeBytes = await rig.store.sizeBytes(NAME.log);
    expect(sizeBytes).toBeGreaterThanOrEqual(1_500);
    expect(sizeBytes).toBeLessThan(2_300);
    expect(rig.log.logStartOffset).toBeGreaterThan(0);
  });

  test('records deleted by hand are gone at once', async () => {
    const rig = await openRig();
    await rig.writeMany(40);
    await rig.look();
    const writes = rig.log.trimTo(7);
    if (!Array.isArray(writes)) throw new Error('refused');
    await rig.store.commit(writes);
    expect(await rig.content()).toEqual(written(40).slice(7));
  });
});

describe('compaction', () => {
  async function compactable(): Promise<TieredRig> {
    const rig = await openRig({ cleanupPolicy: ['compact'], fileDeleteDelayMs: 0 });
    for (let round = 0; round < 5; round++) {
      for (let key = 0; key < 10; key++) await rig.write(`k${key}`, `v${round}-${key}`);
      await rig.look();
    }
    return rig;
  }
  const newest = (rig: TieredRig) =>
    rig.content().then((all) => Object.fromEntries(all.map(([, key, value]) => [key, value])));

  test('goes over what is elsewhere and here, and what is left goes there again', async () => {
    const rig = await compactable();
    const before = await newest(rig);
    const count = (await rig.content()).length;
    const cleaned = await pass(rig, { nowMs: rig.clock.now() });
    expect(cleaned?.recordsRead).toBeGreaterThan(30);
    expect(await newest(rig)).toEqual(before);
    expect((await rig.content()).length).toBeLessThan(count - 20);
    const content = await rig.content();
    await rig.look();
    await rig.look();
    expect(await rig.content()).toEqual(content);
    expect(rig.remoteEnd).toBeGreaterThan(0);
    await rig.open();
    expect(await rig.content()).toEqual(content);
    const named = rig.store.tiering(NAME.log).remote.map(({ key }) => key);
    expect(rig.keys).toEqual(named.toSorted());
  });

  test('that finds nothing to do brings nothing back', async () => {
    const rig = await openRig({ cleanupPolicy: ['compact'], segmentBytes: 100 });
    await rig.writeMany(10);
    await rig.look();
    const { keys, rows } = rig;
    await pass(rig, { nowMs: rig.clock.now() });
    expect(rig.rows).toBe(rows);
    await rig.look();
    expect(rig.keys).toEqual(keys);
  });
});

describe('a bad day', () => {
  test('a copy is made, and its answer is lost: it is found, and not made again', async () => {
    const rig = await openRig();
    await rig.writeMany(40);
    let lost = 1;
    rig.remote.after = (call) => {
      if (call.startsWith('put') && lost-- > 0) throw new Error('the connection was lost');
    };
    const { againAtMs = 0 } = await rig.look();
    expect([rig.keys.length, rig.remoteEnd, rig.warnings.length]).toEqual([1, 0, 1]);
    rig.pass(againAtMs - rig.clock.now());
    await rig.look();
    expect(rig.puts().length).toBe(rig.keys.length);
    expect(await rig.content()).toEqual(written(40));
    expect(rig.remoteEnd).toBeGreaterThan(20);
  });

  test('remote storage is down for an hour: all stays, is read and written, and goes when it is back', async () => {
    const rig = await openRig();
    rig.remote.before = () => {
      throw new Error('503');
    };
    const endMs = NOW + HOUR_MS;
    let looks = 0;
    while (rig.clock.now() < endMs) {
      await rig.writeMany(4);
      const { againAtMs } = await rig.look();
      looks++;
      rig.pass(Math.max(MINUTE_MS, (againAtMs ?? 0) - rig.clock.now()));
    }
    const count = rig.log.logEndOffset;
    expect(looks).toBeLessThan(20);
    expect(rig.warnings).toHaveLength(1);
    expect(await rig.content()).toEqual(written(count));
    rig.remote.before = () => {};
    await rig.look();
    expect(rig.remoteEnd).toBeGreaterThan(count - 10);
    expect(await rig.content()).toEqual(written(count));
  });

  test('who was replaced copies on: nothing is lost, and what it has left is collected', async () => {
    const rig = await openRig();
    await rig.writeMany(40);
    let fenced = false;
    await rig.open(() => {
      if (fenced) throw new Error('another instance has taken over');
    });
    const stale = rig.tiering;
    const put = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    rig.remote.before = async (call) => {
      if (!call.startsWith('put')) return;
      rig.remote.before = () => {};
      arrived.resolve();
      await put.promise;
    };
    const staleLook = stale.look();
    await arrived.promise;
    fenced = true;
    await rig.open();
    // The new one goes on with the copy that was begun; compaction makes of it another.
    rig.config.segmentBytes = 1_000;
    await rig.look();
    put.resolve();
    await staleLook;
    expect(await rig.content()).toEqual(written(40));
    const named = new Set(rig.store.tiering(NAME.log).remote.map(({ key }) => key));
    rig.remote.objects.set(`${PREFIX}e0/orphan`, { bytes: new Uint8Array(3), uploadedMs: rig.clock.now() });
    rig.pass(24 * HOUR_MS);
    await rig.look();
    expect(rig.keys.filter((key) => !named.has(key))).toEqual([]);
    expect(await rig.content()).toEqual(written(40));
  });

  test('a topic is deleted: nothing of it stays', async () => {
    const rig = await openRig();
    await rig.writeMany(40);
    await rig.look();
    rig.remote.objects.set('test/other/0/e0/1', { bytes: new Uint8Array(1), uploadedMs: 0 });
    expect(rig.remote.objects.has(PLACES)).toBe(true);
    await rig.tiering.deleteEverything();
    expect([...rig.remote.objects.keys()]).toEqual(['test/other/0/e0/1']);
  });

  test('killed at any write of the database: the next instance goes on, and nothing is lost', async () => {
    let killed = 0;
    for (let changesMax = 1; ; changesMax++) {
      const rig = new TieredRig(databases.path(), { fileDeleteDelayMs: 0 }, changesMax);
      let acked = 0;
      try {
        await rig.open();
        for (let round = 0; round < 3; round++) {
          for (let record = 0; record < 8; record++) {
            await rig.writeMany(1);
            await rig.database.confirmed();
            acked = rig.log.logEndOffset;
          }
          await rig.look();
          await rig.database.confirmed();
        }
      } catch (error) {
        if (!rig.database.isDead) throw error;
      }
      if (!rig.database.isDead) break;
      killed++;
      const path = databases.path();
      rig.database.copyTo(path);
      rig.database.close();
      rig.database = new NodeSqlite(path);
      await rig.open();
      await rig.writeMany(8);
      await rig.look();
      const content = await rig.content();
      expect(content).toEqual(written(content.length));
      expect(content.length).toBeGreaterThanOrEqual(acked + 8);
      const named = rig.store.tiering(NAME.log).remote.map(({ key }) => key);
      expect(rig.keys).toEqual(named.toSorted());
      rig.database.close();
    }
    expect(killed).toBeGreaterThan(60);
  });
});
