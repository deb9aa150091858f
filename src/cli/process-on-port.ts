import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

const LISTEN_STATE = '0A';

/** `process 123 (node)` that listens on a TCP port, where the system lets us see it (Linux); else undefined. */
export function processOnPort(port: number): string | undefined {
  try {
    const inode = listeningInode(port);
    return inode === undefined ? undefined : ownerOf(inode);
  } catch {
    return undefined;
  }
}

function listeningInode(port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'latin1').split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      if (local.endsWith(suffix) && state === LISTEN_STATE) return inode;
    }
  }
  return undefined;
}

function ownerOf(inode: string): string | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const holds = readdirSync(`/proc/${pid}/fd`).some(
        (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`,
      );
      if (holds) return `process ${pid} (${readFileSync(`/proc/${pid}/comm`, 'latin1').trim()})`;
    } catch {
      // Not ours to look at, or gone meanwhile.
    }
  }
  return undefined;
}
