import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { type AddressInfo, type Socket, createServer } from 'node:net';

/**
 * The named peers of the broker's benches, each in a process of its own: servers that do nothing but move bytes.
 * `node peers.ts sink` reads and discards; `node peers.ts files` sends what a file holds.
 */
export interface Peer {
  host: string;
  port: number;
  stop(): void;
}

/** Starts one in a child process. */
export async function startPeer(kind: 'sink' | 'files'): Promise<Peer> {
  const child = spawn(process.execPath, [import.meta.filename, kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { host: '127.0.0.1', port: Number(line), stop: () => child.kill('SIGKILL') };
}

/** First 8 bytes say how many follow; when all are there it answers with one byte. */
function sink(socket: Socket): void {
  let missing = -1;
  socket.on('data', (chunk: Buffer) => {
    if (missing < 0) {
      missing = Number(chunk.readBigUInt64BE(0));
      chunk = chunk.subarray(8);
    }
    missing -= chunk.length;
    if (missing > 0) return;
    missing = -1;
    socket.write('.');
  });
  socket.on('error', () => socket.destroy());
}

const READ_BYTES = 1024 * 1024;

/** A request is JSON `{path, from, bytes}`; the answer is these bytes of that file. */
function files(socket: Socket): void {
  socket.on('data', (request: Buffer) => {
    const { path, from, bytes } = JSON.parse(request.toString()) as {
      path: string;
      from: number;
      bytes: number;
    };
    void send(socket, path, { from, bytes });
  });
  socket.on('error', () => socket.destroy());
}

async function send(
  socket: Socket,
  path: string,
  { from, bytes }: { from: number; bytes: number },
): Promise<void> {
  const file = await open(path);
  for (let at = from; at < from + bytes;) {
    const size = Math.min(READ_BYTES, from + bytes - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    if (!socket.write(buffer.subarray(0, bytesRead))) await once(socket, 'drain');
  }
  await file.close();
}

if (process.argv[1] === import.meta.filename) {
  const server = createServer({ noDelay: true }, process.argv[2] === 'sink' ? sink : files);
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
}
