import { open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nodeCodecs } from '../../hosts/node/codecs.ts';
import { lockHolder } from '../../hosts/node/file-lock.ts';
import { NodeFiles } from '../../hosts/node/files.ts';
import { loadKernels } from '../../kernels/load.ts';
import {
  CLEAN_SHUTDOWN,
  META_PROPERTIES,
  parseLogDirectory,
  PARTITION_METADATA,
} from '../../segments/layout.ts';
import { DamagedLog, StoredTopics } from '../../segments/stored-topics.ts';
import { formatBytes } from '../terminal/bytes.ts';
import { storedNodeId } from '../directory.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const FREE_MIN = 100_000_000;
const FREE_ADVISED = 1_000_000_000;
const SLOW_FLUSH_MS = 50;
/** Files may be a little ahead where they are kept by another machine. */
const FUTURE_MS = 60_000;

export interface DirectoryChecks {
  directory: string;
  nodeId: number;
  /** Read every batch and check it. */
  deep: boolean;
}

/** What a node would find in its data directory. Nothing in it is changed. */
export async function checkDirectory(options: DirectoryChecks): Promise<Finding[]> {
  const { directory } = options;
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => error);
  if (names instanceof Error) return [await checkAbsent(directory, names)];
  const findings = [...(await checkWritable(directory)), await checkSpace(directory)];
  if (names.length === 0) return [...findings, ok('data', `${directory} is empty: a first start fills it`)];
  if (!names.includes(META_PROPERTIES)) {
    const found = `${directory} holds ${names.slice(0, 3).join(', ')} and no ${META_PROPERTIES}`;
    return [...findings, fail('data', found, 'choose an empty or a new directory')];
  }
  const holder = await lockHolder(directory);
  return [
    ...findings,
    await checkOwner(options),
    ...(await checkState(options, names, holder)),
    ...(await checkStrays(directory, names)),
    await checkFuture(directory, names),
  ];
}

async function checkAbsent(directory: string, error: NodeJS.ErrnoException): Promise<Finding> {
  if (error.code === 'ENOTDIR') return fail('data', `${directory} is a file`, 'choose a directory');
  if (error.code !== 'ENOENT') return fail('data', error.message, 'let this user read and write it');
  const parent = dirname(directory);
  const [problem] = await checkWritable(parent).catch(() => []);
  if (problem?.status === 'fail')
    return fail('data', `${directory} cannot be made: ${problem.found}`, problem.fix ?? '');
  return ok('data', `${directory} is not there: a first start makes it`);
}

/** Writes and flushes a file for a moment, under a name that every start passes over. */
async function checkWritable(directory: string): Promise<Finding[]> {
  const path = join(directory, `.lock.doctor.${process.pid}`);
  const startedAtMs = performance.now();
  try {
    const file = await open(path, 'wx');
    try {
      await file.write('milena doctor');
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    return [fail('data', message, `let this user write to ${directory}, or choose another directory`)];
  } finally {
    await rm(path, { force: true }).catch(() => {});
  }
  const flushMs = performance.now() - startedAtMs;
  const said = `${directory} takes a write and a flush in ${flushMs.toFixed(1)} ms`;
  if (flushMs < SLOW_FLUSH_MS) return [ok('data', said)];
  return [
    warn('data', said, 'each ack waits for one: choose a faster disk, or milena.flush=never and its risk'),
  ];
}

async function checkSpace(directory: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const said = `${formatBytes(free)} are free`;
  const fix = 'make room: a full disk stops all writes';
  if (free < FREE_MIN) return fail('space', said, fix);
  return free < FREE_ADVISED ? warn('space', said, fix) : ok('space', said);
}

async function checkOwner({ directory, nodeId }: DirectoryChecks): Promise<Finding> {
  try {
    const owner = await storedNodeId(directory);
    if (owner === nodeId) return ok('owner', `node ${owner}`);
    return fail(
      'owner',
      `it belongs to node ${owner}, this is node ${nodeId}`,
      `start it with --node-id ${owner}`,
    );
  } catch (error) {
    return fail(
      'owner',
      (error as Error).message,
      'restore that file from a backup, or choose another directory',
    );
  }
}

async function checkState(
  options: DirectoryChecks,
  names: readonly string[],
  holder: number | undefined,
): Promise<Finding[]> {
  if (holder !== undefined) {
    const fix = `stop it (kill ${holder}) before another start, or look at it with --broker`;
    return [warn('lock', `process ${holder} runs on it`, fix)];
  }
  const lock = ok('lock', 'nobody runs on it');
  const logs = names.filter((name) => parseLogDirectory(name) !== undefined).length;
  const isClean = logs === 0 || names.includes(CLEAN_SHUTDOWN);
  const state = isClean
    ? ok('logs', `${logs}, closed cleanly`)
    : warn(
        'logs',
        `${logs}, after a crash: the next start recovers them`,
        'start the node, and read its log',
      );
  return [lock, state, ...(await checkBatches(options))];
}

/** Opens it as a reader would; with `deep` every batch is read and its checksum checked. */
async function checkBatches({ directory, deep }: DirectoryChecks): Promise<Finding[]> {
  const kernels = await loadKernels();
  const files = new NodeFiles();
  let stored: StoredTopics;
  try {
    stored = await StoredTopics.open({ files, directory, kernels, codecs: nodeCodecs(kernels) });
  } catch (error) {
    return [fail('format', (error as Error).message, 'do what it says, or choose another directory')];
  }
  const format = ok('format', 'of this version');
  try {
    if (!deep) return [format];
    const damaged: Finding[] = [];
    let bytes = 0;
    for (const topic of stored.names()) {
      for (let partition = 0; partition < (stored.partitionsOf(topic) ?? 0); partition++) {
        try {
          for await (const batches of stored.reader(topic).batches(partition, 0, Infinity))
            bytes += batches.length;
        } catch (error) {
          if (!(error instanceof DamagedLog)) throw error;
          damaged.push(fail('batches', error.message, DAMAGE_FIX));
        }
      }
    }
    return [format, ...damaged, ok('batches', `${formatBytes(bytes)} read, their checksums are right`)];
  } finally {
    await stored.close();
  }
}

const DAMAGE_FIX =
  'save what is whole with `milena export --data`; after a crash a torn end is normal and the next start cuts it';

async function checkStrays(directory: string, names: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of names) {
    if (name.endsWith('-stray')) {
      const fix = 'move it elsewhere once you are sure that nobody misses it';
      findings.push(warn('strays', `${name} holds a log that was in the way of another`, fix));
    }
    if (parseLogDirectory(name) === undefined) continue;
    const held = await readdir(join(directory, name)).catch((): string[] => []);
    if (held.includes(PARTITION_METADATA) || !held.some((file) => file.endsWith('.log'))) continue;
    const fix = 'the next start takes it for the log of the topic that has its name: see that it is';
    findings.push(warn('strays', `${name} has no ${PARTITION_METADATA}`, fix));
  }
  return findings;
}

/** Files from the future tell of a clock that went back. */
async function checkFuture(directory: string, names: readonly string[]): Promise<Finding> {
  const now = Date.now();
  for (const name of names) {
    const { mtimeMs } = await stat(join(directory, name)).catch(() => ({ mtimeMs: 0 }));
    if (mtimeMs <= now + FUTURE_MS) continue;
    const found = `${name} was changed at ${new Date(mtimeMs).toISOString()}, which is still to come`;
    return fail('clock', found, 'the clock went back: set it right before a start');
  }
  return ok('age', 'no file is from the future');
}
