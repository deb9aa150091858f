import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/hosts/node/connect.ts';
import { eventually } from '../clients/fixture.ts';
import { startWorker } from '../support/workerd.ts';

const RECORDS = 24;
const RECORD_BYTES = 300_000;

/** Wrangler's R2 and its objects, as `npm run edge` has them. */
test('what is old is read from R2, by clients that know nothing of it', { timeout: 120_000 }, async () => {
  const persistTo = await mkdtemp(join(tmpdir(), 'milena-tiering-'));
  onTestFinished(() => rm(persistTo, { recursive: true }));
  const vars = { MILENA_SETTINGS: 'log.local.retention.bytes=0\nlog.segment.bytes=1048576' };
  const worker = await startWorker('workers/index.ts', { config: 'wrangler.toml', vars, persistTo });
  onTestFinished(() => worker.stop());
  const client = await connect(`ws://${worker.address}:${worker.port}/kafka`);
  onTestFinished(() => client.close());
  await client.admin.topics.create('old');
  const producer = client.producer({ compression: 'none' });
  for (let record = 0; record < RECORDS; record++)
    await producer.send('old', { value: new Uint8Array(RECORD_BYTES).fill(record) });
  const [{ id } = { id: '' }] = await client.admin.topics.describe(['old']);
  const metric = async (name: string) => {
    const url = `http://${worker.address}:${worker.port}/metrics?shard=d/${id}/0`;
    const text = await (await fetch(url)).text();
    return Number(new RegExp(`^milena_shard_${name}\\{.*\\} (\\d+)$`, 'm').exec(text)?.[1]);
  };
  await eventually(async () => (await metric('remote_segments')) >= 6);
  expect(await metric('stored_bytes')).toBeLessThan(4_000_000);
  expect(await metric('remote_bytes')).toBeGreaterThan(5_000_000);
  const found: number[] = [];
  for await (const { value, offset } of client.read('old', { from: 'earliest', live: false })) {
    expect([value?.length, value?.[0], value?.at(-1)]).toEqual([RECORD_BYTES, offset, offset]);
    found.push(offset);
  }
  expect(found).toEqual(Array.from({ length: RECORDS }, (_, offset) => offset));
  for await (const { offset } of client.read('old', { from: { offset: 5 } })) {
    expect(offset).toBe(5);
    break;
  }
});
