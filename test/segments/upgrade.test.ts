import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeControlRecord } from '../../src/metadata/control-records.ts';
import type { LogName } from '../../src/ports/log-store.ts';
import { records } from '../../src/records/batch.ts';
import { BatchHeader } from '../../src/records/header.ts';
import type { MemoryFiles } from '../storage/memory-files.ts';
import { inMemory } from '../storage/stored-directory.ts';
import { isTrue, kernels } from '../storage/batches.ts';
import { DIRECTORY, openStore } from './open.ts';

const FIXTURE = join(import.meta.dirname, '../fixtures/milena-format-1/data');

/** The kept directory of format 1, in memory. */
const firstFormat = () => inMemory(FIXTURE, DIRECTORY);

/** Batches of the metadata log, with what their control records say. */
async function metadata(files: MemoryFiles) {
  const identity = { clusterId: '', nodeId: 1, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ' };
  const store = await openStore(files, { identity, tailBytes: 0 });
  const { log } = store.logs().find(({ topic }) => topic === '__cluster_metadata') as LogName;
  const { logEndOffset } = await store.open(log);
  const bytes = await store.read(log, { fromOffset: 0, endOffset: Infinity, maxBytes: 1e6 });
  expect(isTrue(bytes)).toBe(true);
  const batches: { offsets: [number, number]; epoch: number; control: unknown }[] = [];
  const header = new BatchHeader(bytes);
  for (let at = 0; at < bytes.length; at += header.sizeBytes) {
    const { baseOffset, lastOffset, partitionLeaderEpoch: epoch, isControl } = header.seek(at);
    const [record] = isControl ? await records(header.bytes, kernels, new Map()) : [];
    const control = record && decodeControlRecord({ key: record.key, value: record.value });
    batches.push({ offsets: [baseOffset, lastOffset], epoch, control });
  }
  await store.close();
  return { logEndOffset, batches };
}

const LEADER_CHANGE = {
  type: 'leaderChange',
  version: 0,
  leaderId: 1,
  voters: [{ voterId: 1, voterDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
  grantingVoters: [{ voterId: 1, voterDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
};

test('format 1: LeaderChange records become what Kafka reads, and nothing else changes', async () => {
  const files = await firstFormat();
  const log = `${DIRECTORY}/__cluster_metadata-0/00000000000000000000.log`;
  const before = files.bytes(log).slice();
  const { logEndOffset, batches } = await metadata(files);
  expect(logEndOffset).toBe(81);
  expect(batches[0]).toEqual({ offsets: [0, 0], epoch: 0, control: LEADER_CHANGE });
  expect(batches.slice(1).every(({ control }) => control === undefined)).toBe(true);
  const rest = new BatchHeader(before).sizeBytes;
  expect(files.bytes(log).slice(-(before.length - rest))).toEqual(before.slice(rest));
  expect(new TextDecoder().decode(files.bytes(`${DIRECTORY}/milena.format`))).toBe('version=3\n');
});

test('a crash at any point of the upgrade leaves a directory that is upgraded again', async () => {
  const kept = await firstFormat();
  const expected = await metadata(kept.crash({ power: true }));
  for (let diesAtCall = 1; ; diesAtCall++) {
    const files = kept.crash({ power: true });
    files.diesAtCall = diesAtCall;
    const hasDied = await metadata(files).then(
      () => false,
      () => true,
    );
    for (const power of [true, false])
      expect(await metadata(files.crash({ power })), `call ${diesAtCall}`).toEqual(expected);
    if (!hasDied) return;
  }
});
