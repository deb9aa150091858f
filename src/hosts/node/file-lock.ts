import { createHash } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';

/** The process that holds a directory. `started` tells it from a later one with the same number. */
interface Holder {
  pid: number;
  started: string;
}

/** Directories this process holds: the same number in a lock file may also be one of an earlier boot. */
const held = new Set<string>();
/** A stale lock may be taken by someone else while we look; then it is their turn. */
const ATTEMPTS = 5;

/** Takes `<directory>/.lock`, from a dead process too. @throws when a live one has it. */
export async function lockDirectory(directory: string): Promise<{ release(): Promise<void> }> {
  const path = `${directory}/.lock`;
  const mine = JSON.stringify({ pid: process.pid, started: (await startOf(process.pid)) ?? '' });
  if (held.has(path)) throw lockedBy(directory, process.pid);
  held.add(path);
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await created(path, mine)) return { release: () => release(path, mine) };
      const found = await contentOf(path);
      if (found === undefined) continue;
      const holder = parsed(found);
      if (holder && (await isAlive(holder))) throw lockedBy(directory, holder.pid);
      if (await takeOver(path, found, mine)) return { release: () => release(path, mine) };
    }
    throw new Error(`${directory} is being opened by other processes at this moment: try again`);
  } catch (error) {
    held.delete(path);
    throw error;
  }
}

/** The live process that has the directory; undefined when none has. */
export async function lockHolder(directory: string): Promise<number | undefined> {
  const found = await contentOf(`${directory}/.lock`);
  const holder = found === undefined ? undefined : parsed(found);
  return holder !== undefined && (await isAlive(holder)) ? holder.pid : undefined;
}

async function release(path: string, mine: string): Promise<void> {
  if ((await contentOf(path)) === mine) await rm(path, { force: true });
  held.delete(path);
}

function lockedBy(directory: string, pid: number): Error {
  return new Error(
    `${directory} is in use by process ${pid}: stop it (kill ${pid}) or choose another data directory`,
  );
}

/** Made whole beside it first: nobody ever reads a lock without its holder. */
async function draftOf(path: string, content: string): Promise<string> {
  const draft = `${path}.${process.pid}`;
  await rm(draft, { force: true });
  const file = await open(draft, 'wx');
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
  return draft;
}

async function created(path: string, content: string): Promise<boolean> {
  const draft = await draftOf(path, content);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Puts our lock in the place of a stale one. Among processes that find the same one, whoever makes the claim that is
 * named after it may replace it, in one step: the path is never free in between. A claim can be stale itself, when its
 * maker died: it is taken over in the same way.
 * @returns false when another process was quicker, or is at work: look again.
 */
async function takeOver(path: string, stale: string, mine: string): Promise<boolean> {
  const claim = `${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`;
  if (!(await created(claim, mine))) {
    const claimed = await contentOf(claim);
    const claimant = claimed === undefined ? undefined : parsed(claimed);
    if (claimed === undefined || (claimant && (await isAlive(claimant)))) return false;
    if (!(await takeOver(claim, claimed, mine))) return false;
  }
  try {
    if ((await contentOf(path)) !== stale) return false;
    await rename(await draftOf(path, mine), path);
    return true;
  } finally {
    await rm(claim, { force: true });
  }
}

/** A lock of Kafka's is empty: it counts on the kernel's file locks, which Node cannot ask for. */
function parsed(content: string): Holder | undefined {
  try {
    const { pid, started } = JSON.parse(content) as Partial<Holder>;
    if (Number.isSafeInteger(pid) && Number(pid) > 0) return { pid: Number(pid), started: String(started) };
  } catch {
    // Not ours, or torn by a power cut: nobody alive wrote it.
  }
  return undefined;
}

async function isAlive({ pid, started }: Holder): Promise<boolean> {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const startedNow = await startOf(pid);
  return startedNow === undefined || started === '' || startedNow === started;
}

/** Boot and tick a process started at, where the system says so (Linux). */
async function startOf(pid: number): Promise<string | undefined> {
  const boot = await contentOf('/proc/sys/kernel/random/boot_id');
  const stat = await contentOf(`/proc/${pid}/stat`);
  if (boot === undefined || stat === undefined) return undefined;
  // The name in brackets may hold anything; field 22 is the 20th after it.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${boot.trim()}:${ticks}`;
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
