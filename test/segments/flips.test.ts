import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogName, LogWrite } from '../../src/ports/log-store.ts';
import type { SegmentStore } from '../../src/segments/store.ts';
import { BatchHeader } from '../../src/records/header.ts';
import { append, logName } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { DIRECTORY, openStore } from './open.ts';

const LOGS = [logName(1), logName(2)];
const BATCHES = 24;
const PER_SEGMENT = 10;
const REOPENS = 4;
/** Where the leader epoch lies: it has no checksum, and nothing contradicts it. */
const EPOCH = [12, 16] as const;
/** As little contradicts the base offset of a log's last batch, as long as it rises. */
const LAST = 2 * (BATCHES - 1);

/** Batches by base offset, as they were acknowledged. */
type Acknowledged = ReadonlyMap<number, Uint8Array>;

async function filled(): Promise<{ files: MemoryFiles; acknowledged: Map<LogName, Acknowledged> }> {
  const files = new MemoryFiles();
  const store = await openStore(files);
  const acknowledged = new Map<LogName, Acknowledged>();
  for (const name of LOGS) {
    const { log } = name;
    const batches = new Map<number, Uint8Array>();
    const writes: LogWrite[] = [{ type: 'create', ...name }];
    for (let number = 0; number < BATCHES; number++) {
      const baseOffset = number * 2;
      const write = append({ log, baseOffset, records: 2, timestamp: 1000 + number, valueBytes: 30 });
      batches.set(baseOffset, write.bytes);
      writes.push(write);
      if (number % PER_SEGMENT === PER_SEGMENT - 1) writes.push({ type: 'roll', log });
    }
    writes.push({ type: 'put', log, name: 'leader-epoch-checkpoint', value: new Uint8Array([48, 10]) });
    await store.commit(writes);
    acknowledged.set(name, batches);
  }
  await store.close();
  return { files: files.crash({ power: true }), acknowledged };
}

/** What one log says when all of it is read, batch by batch, as a shard does: a refusal is followed by an open. */
async function readAll(store: SegmentStore, { log }: LogName): Promise<Uint8Array[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { logStartOffset, logEndOffset } = await store.open(log);
      const batches: Uint8Array[] = [];
      for (let fromOffset = logStartOffset; fromOffset < logEndOffset;) {
        const bytes = await store.read(log, { fromOffset, endOffset: logEndOffset, maxBytes: 1 });
        if (bytes.length === 0) break;
        batches.push(bytes);
        fromOffset = new BatchHeader(bytes).lastOffset + 1;
      }
      return batches;
    } catch (error) {
      if (attempt === REOPENS || !String(error).includes('damaged')) throw error;
    }
  }
}

function sameBatch(bytes: Uint8Array, original: Uint8Array | undefined): boolean {
  const [from, to] = EPOCH;
  const same = bytes.filter((byte, at) => byte === original?.[at] || (at >= from && at < to));
  return original?.length === bytes.length && same.length === bytes.length;
}

/** All that the checksum is about. */
function sameRecords(bytes: Uint8Array, original: Uint8Array = new Uint8Array(0)): boolean {
  return Buffer.compare(bytes.subarray(EPOCH[1]), original.subarray(EPOCH[1])) === 0;
}

const flip = fc.record({ file: fc.nat(), at: fc.nat(), bit: fc.nat(7) });

test.each([
  ['not closed cleanly', false],
  ['closed cleanly', true],
])(
  'flips anywhere in a directory %s: what is whole is served, or its damage is named',
  async (_, isClean) => {
    const { files, acknowledged } = await filled();
    await fc.assert(
      fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 3 }), async (flips) => {
        const damaged = files.crash({ power: true });
        if (!isClean) {
          await damaged.remove(`${DIRECTORY}/.kafka_cleanshutdown`);
          damaged.replace(
            `${DIRECTORY}/recovery-point-offset-checkpoint`,
            new TextEncoder().encode('0\n0\n'),
          );
        }
        const hurt = hurtBy(damaged, flips);
        const warnings: string[] = [];
        const onWarning = (message: string) => warnings.push(message);
        const opening = openStore(damaged, { tailBytes: 0, onWarning });
        const refusal = await opening.then(
          () => undefined,
          (error: unknown) => String(error),
        );
        if (refusal?.includes(DIRECTORY)) return;
        const store = await opening;
        const faults: string[] = [];
        for (const [name, batches] of acknowledged)
          faults.push(...(await faultsOf(store, { name, batches, hurt: hurt.join(), warnings })));
        expect(faults).toEqual([]);
        await store.close();
      }),
      { numRuns: 250 },
    );
  },
);

interface Expected {
  name: LogName;
  batches: Acknowledged;
  hurt: string;
  warnings: readonly string[];
}

/** What is served wrongly, and what is not served though nothing was said. */
async function faultsOf(store: SegmentStore, { name, batches, hurt, warnings }: Expected): Promise<string[]> {
  const title = `${name.topic}-0`;
  if (!store.logs().some(({ log }) => log === name.log))
    return hurt.includes(`${title}/partition.metadata`) ? [] : [`${title} is gone after ${hurt}`];
  const missing = new Set(batches.keys());
  const faults: string[] = [];
  for (const bytes of await readAll(store, name)) {
    const { baseOffset } = new BatchHeader(bytes);
    missing.delete(Math.min(baseOffset, LAST));
    const isRight =
      sameBatch(bytes, batches.get(baseOffset)) ||
      (baseOffset > LAST && sameRecords(bytes, batches.get(LAST)));
    if (!isRight) faults.push(`${title} has a wrong batch at ${baseOffset} after ${hurt}`);
  }
  const isNamed = missing.size === 0 || warnings.join().includes(title);
  return isNamed ? faults : [...faults, `${title} lost ${[...missing].join()} after ${hurt}`];
}

function hurtBy(files: MemoryFiles, flips: readonly { file: number; at: number; bit: number }[]): string[] {
  const paths = files.paths().filter((path) => files.bytes(path).length > 0);
  return flips.map(({ file, at, bit }) => {
    const path = paths[file % paths.length] ?? '';
    const bytes = files.bytes(path).slice();
    bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit);
    files.replace(path, bytes);
    return `${path}:${at % bytes.length}`;
  });
}
