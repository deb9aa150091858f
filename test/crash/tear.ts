import { appendFile, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SeededRandom } from '../support/random.ts';

/**
 * What a power cut could have left beside what was flushed, and a SIGKILL does not: bytes behind the end of a log
 * that nobody was told of, and indexes that are wrong or gone.
 */
export const TEARS = ['zeros', 'noise', 'half a batch', 'index noise', 'index gone'] as const;
export type Tear = (typeof TEARS)[number];

const TAIL_MAX_BYTES = 5_000;

/** Tears the newest segment of one of the logs. @returns what was done, for the report. */
export async function tear(directory: string, kind: Tear, random: SeededRandom): Promise<string> {
  const log = random.pick((await readdir(directory)).filter((name) => /-\d+$/.test(name)).toSorted());
  const names = await readdir(join(directory, log));
  const segment = names
    .filter((name) => name.endsWith('.log'))
    .toSorted()
    .at(-1);
  if (segment === undefined) return 'nothing to tear';
  const path = join(directory, log, segment);
  if (kind === 'index noise' || kind === 'index gone') {
    const index = path.replace(/log$/, random.pick(['index', 'timeindex']));
    if (kind === 'index gone') await rm(index, { force: true });
    else await appendFile(index, noise(random.integer(1, 50), random));
  } else {
    await appendFile(path, await tail(path, kind, random));
  }
  return `${kind} in ${log}`;
}

async function tail(path: string, kind: Tear, random: SeededRandom): Promise<Uint8Array> {
  const size = random.integer(1, TAIL_MAX_BYTES);
  if (kind === 'zeros') return new Uint8Array(size);
  if (kind === 'noise') return noise(size, random);
  const file = await open(path);
  try {
    const header = Buffer.alloc(12);
    const { bytesRead } = await file.read(header, 0, 12, 0);
    if (bytesRead < 12) return noise(size, random);
    const half = Buffer.alloc(Math.ceil((12 + header.readInt32BE(8)) / 2));
    await file.read(half, 0, half.length, 0);
    return half;
  } finally {
    await file.close();
  }
}

function noise(size: number, random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: size }, () => random.integer(0, 255));
}
