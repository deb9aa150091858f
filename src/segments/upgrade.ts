import { BatchFault, type Kernels } from '../kernels/kernels.ts';
import { concat } from '../model/bytes.ts';
import { CLUSTER_METADATA_TOPIC } from '../model/ids.ts';
import type { Files } from '../ports/files.ts';
import { records } from '../records/batch.ts';
import { buildBatch } from '../records/builder.ts';
import { ControlType, controlType } from '../records/control.ts';
import { type BatchHeader, forEachBatch } from '../records/header.ts';
import { replaceFile } from './atomic-file.ts';
import { segmentBase, segmentFile } from './layout.ts';

export interface Upgraded {
  files: Files;
  directory: string;
  kernels: Kernels;
}

/** By the format it leads on from. A crash may come at any point of a step: then it runs again. */
const STEPS: Readonly<Record<number, (place: Upgraded) => Promise<void>>> = { 1: makeLeaderChangesReadable };

/** Brings what a directory holds from format `from` to format `to`. */
export async function upgrade(place: Upgraded, { from, to }: { from: number; to: number }): Promise<void> {
  for (let format = from; format < to; format++) await STEPS[format]?.(place);
}

/**
 * Format 1 wrote LeaderChange records in version 1, which names directories. Kafka takes every one for version 0 and
 * cannot open such a metadata log. Batches get smaller, so indexes go first: they are made anew.
 */
async function makeLeaderChangesReadable({ files, directory, kernels }: Upgraded): Promise<void> {
  const log = `${directory}/${CLUSTER_METADATA_TOPIC}-0`;
  for (const name of await files.list(log)) {
    const base = segmentBase(name);
    const bytes = base === undefined ? undefined : await files.readFile(`${log}/${name}`);
    if (base === undefined || !bytes) continue;
    const batches: Uint8Array[] = [];
    let end = 0;
    forEachBatch(bytes, (header) => {
      batches.push(readable(header, kernels) ?? header.bytes);
      end = header.position + header.sizeBytes;
    });
    for (const index of ['index', 'timeindex'] as const)
      await files.remove(`${log}/${segmentFile(base, index)}`);
    await replaceFile(files, `${log}/${name}`, concat([...batches, bytes.subarray(end)]));
  }
  await files.flushDirectory(log);
}

/** The same batch with its LeaderChange in version 0; undefined when it holds none in version 1. */
function readable(header: BatchHeader, kernels: Kernels): Uint8Array | undefined {
  const isWhole = header.isControl && kernels.validateBatch(header.bytes) === BatchFault.none;
  if (!isWhole || header.recordsCount !== 1) return undefined;
  const found = records(header.bytes, kernels, new Map());
  const record = found instanceof Promise ? undefined : found.at(0);
  if (controlType(record?.key ?? null) !== ControlType.leaderChange) return undefined;
  const value = record?.value && withoutDirectories(record.value);
  if (!record || !value) return undefined;
  return buildBatch(kernels, {
    records: [{ key: record.key, value, timestamp: header.baseTimestamp }],
    baseOffset: header.baseOffset,
    leaderEpoch: header.partitionLeaderEpoch,
    isControl: true,
  });
}

/**
 * Ours had one voter: version (int16), leader (int32), then twice a list of one (0x02, voter int32, directory uuid, no
 * tags), and no tags.
 */
const VERSION_1_BYTES = 51;
const LISTS = [6, 28];
const DIRECTORY = { start: 5, end: 21 };

function withoutDirectories(value: Uint8Array): Uint8Array | undefined {
  if (value.length !== VERSION_1_BYTES || value[0] !== 0 || value[1] !== 1) return undefined;
  const lists = LISTS.map((at) => {
    const list = value.subarray(at, at + DIRECTORY.end + 1);
    return concat([list.subarray(0, DIRECTORY.start), list.subarray(DIRECTORY.end)]);
  });
  return concat([Uint8Array.of(0, 0), value.subarray(2, 6), ...lists, Uint8Array.of(0)]);
}
